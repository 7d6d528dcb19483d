"""`minicnn evaluate`: how good saved weights are, and what they mistake for what."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from minicnn.models import MODELS
from minicnn.recipes.errors import UserError, one_of, plain_errors
from minicnn.recipes.models import load_trained, size_of
from minicnn.recipes.presets import PRESETS
from minicnn.training import confusion_matrix
from minicnn.training import evaluate as score_of
from minicnn.utils.data import DataLoader

BATCH = 256


@plain_errors
def evaluate(
    weights: Annotated[Path, typer.Argument(help="File of weights: safetensors, .npz or PyTorch's .pth.")],
    model: Annotated[
        str | None,
        typer.Option(callback=one_of(MODELS), help="The network.  [default: the one named in the file]"),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(callback=one_of(PRESETS), help="The images.  [default: those it was trained on]"),
    ] = None,
    data_dir: Annotated[
        Path, typer.Option(help="Folder of the data sets, laid out as torchvision's. Digits need none.")
    ] = Path("data"),
    download: Annotated[
        bool, typer.Option("--download/--no-download", help="Fetch a data set that isn't in --data-dir.")
    ] = False,
) -> None:
    """Test saved weights on images that they never learned from."""
    trained = load_trained(weights, model, dataset)
    name = dataset or trained.dataset
    if name not in PRESETS:
        raise UserError(f"{weights} was trained on {name!r}, which is unknown: pass --dataset")
    preset = PRESETS[name]
    if preset.shape != trained.shape or len(preset.classes) != len(trained.classes):
        raise UserError(
            f"{weights} tells {len(trained.classes)} classes apart in images of {size_of(trained.shape)}, "
            f"but {preset.title} has {len(preset.classes)} in images of {size_of(preset.shape)}"
        )
    test_set = preset.load(data_dir, download, train=False)
    loader = DataLoader(test_set, BATCH)
    score = score_of(trained.model, loader)
    typer.echo(f"{trained.name} on {preset.title}, {len(test_set):,} test images")
    typer.echo(f"loss {score.loss:.4f}, accuracy {score.accuracy:.2%}\n")
    print_classes(confusion_matrix(trained.model, loader, len(preset.classes)), preset.classes)


def class_scores(confusion: np.ndarray) -> np.ndarray:
    """Precision, recall and F1 of every class, (classes, 3); 0 where it has no images, or nothing was taken for it.

    Args:
        confusion: counts (classes, classes): row = the true class, column = the predicted one.
    """
    from sklearn.metrics import precision_recall_fscore_support

    right, predicted = np.indices(confusion.shape).reshape(2, -1)
    labels = np.arange(len(confusion))
    *scores, _ = precision_recall_fscore_support(
        right, predicted, labels=labels, sample_weight=confusion.ravel(), zero_division=0
    )
    return np.stack(scores, 1)


def print_classes(confusion: np.ndarray, classes: list[str]) -> None:
    """Print, for every class, precision, recall and F1, how many images it has, and what they were mistaken for."""
    scores = class_scores(confusion)
    width = max(map(len, [*classes, "class", "mean"]))
    typer.echo(f"{'class':{width}}  precision  recall      F1   images   mistaken for")
    for label, name in enumerate(classes):
        row = confusion[label]
        wrong = [other for other in np.argsort(-row, kind="stable") if row[other] and other != label]
        mistakes = ", ".join(f"{classes[other]} ({row[other]})" for other in wrong)
        typer.echo(f"{_told(name, width, scores[label], row.sum())}   {mistakes}".rstrip())
    typer.echo(_told("mean", width, scores.mean(0), confusion.sum()))


def _told(name: str, width: int, scores: np.ndarray, images: int) -> str:
    precision, recall, f1 = scores
    return f"{name:{width}}  {precision:9.1%} {recall:7.1%} {f1:7.1%} {images:8,}"
