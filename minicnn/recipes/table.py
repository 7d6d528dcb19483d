"""What a training prints: its data, its table, the title of its plot."""

from minicnn.recipes.models import size_of
from minicnn.recipes.presets import Preset
from minicnn.training import Epoch, History

HEADER = "epoch   seconds        lr   train loss   accuracy   test loss   accuracy"


def data_line(preset: Preset, train: int, test: int, augment: bool) -> str:
    """What is learned from, and tested on."""
    return (
        f"Data        {preset.title}, {train:,} images to train on{', shifted at random' if augment else ''}, "
        f"{test:,} to test on, {size_of(preset.shape)}"
    )


def plot_title(network: str, preset: Preset, history: History) -> str:
    """What a plot is called, after the class of a network."""
    return f"{network} on {preset.title}: {history.last.test.accuracy:.2%} of the test images"


def count(number: int, noun: str) -> str:
    """A number and its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def table_row(epoch: Epoch) -> str:
    """An epoch as a line of the table."""
    train, test = epoch.train, epoch.test
    return (
        f"{epoch.number:5}{epoch.seconds:10.2f}{epoch.learning_rate:10.3g}{train.loss:13.4f}{train.accuracy:11.2%}"
        f"{test.loss:12.4f}{test.accuracy:11.2%}"
    )
