"""Random programs leave the same on minicnn and on PyTorch; and planted bugs make them differ."""

from collections import Counter

import pytest
from programs import OPERATIONS, Difference, difference, program_of, shrink
from programs.regressions import REGRESSIONS
from programs.running import statements

import minicnn
import minicnn.nn.functional as F
from minicnn import Tensor, kernels


def test_programs_agree():
    """The same ones every time: about one other in a hundred is known to differ, as CONTRIBUTING.md tells."""
    for seed in range(250, 400):
        found = difference(program_of(seed).source)
        if found:
            pytest.fail(f"python -m tests.programs --program {seed}\n{shrink(found)}")


@pytest.mark.parametrize("name", REGRESSIONS)
def test_programs_that_once_differed(name):
    assert difference(REGRESSIONS[name].strip()) is None


def test_every_operation_is_drawn():
    counts = sum((program_of(seed).counts for seed in range(120)), Counter())
    assert set(OPERATIONS) == set(counts)


def slice_assignment_loses_the_gradient_of_the_value(patch):
    original = Tensor.__setitem__

    def assign(self, key, value):
        original(self, key, value.detach() if isinstance(value, Tensor) else value)

    patch.setattr(Tensor, "__setitem__", assign)


def a_transpose_is_a_copy(patch):
    original = Tensor.transpose
    patch.setattr(Tensor, "transpose", lambda self, a, b: original(self, a, b).clone())


def max_pool_takes_padded_windows_for_tiles(patch):
    def tiles(geometry):
        axes = (geometry.height, geometry.width)
        return all(a.kernel == a.extent == a.stride and a.output * a.stride == a.size for a in axes)

    patch.setattr(kernels.pooling, "tiles_image", tiles)


def batch_norm_takes_momentum_for_its_complement(patch):
    original = F.batch_norm

    def batch_norm(*args, momentum=0.1, **options):
        return original(*args, momentum=1 - momentum, **options)

    patch.setattr(F, "batch_norm", batch_norm)


def output_padding_turned_around(patch):
    original = F.conv_transpose2d

    def conv_transpose2d(*args, output_padding=0, **options):
        pair = (output_padding,) * 2 if isinstance(output_padding, int) else output_padding
        return original(*args, output_padding=pair[::-1], **options)

    patch.setattr(F, "conv_transpose2d", conv_transpose2d)


def residuals_lose_a_gradient(patch):
    original = Tensor.__add__

    def add(self, other):
        same = isinstance(other, Tensor) and other.shape == self.shape
        return original(self, other.detach() if same else other)

    patch.setattr(Tensor, "__add__", add)


def cat_loses_the_gradient_of_its_last_tensor(patch):
    original = minicnn.cat
    patch.setattr(minicnn, "cat", lambda tensors, dim=0: original([*tensors[:-1], tensors[-1].detach()], dim))


def no_grad_records(patch):
    patch.setattr(minicnn, "no_grad", minicnn.enable_grad)


def relu_in_place_writes_elsewhere(patch):
    original = F.relu
    patch.setattr(F, "relu", lambda x, inplace=False: original(x))


def keepdim_of_a_negative_axis_is_forgotten(patch):
    original = Tensor.sum

    def total(self, dim=None, keepdim=False):
        return original(self, dim, keepdim and not (isinstance(dim, int) and dim < 0))

    patch.setattr(Tensor, "sum", total)


MUTANTS = [
    slice_assignment_loses_the_gradient_of_the_value,
    a_transpose_is_a_copy,
    max_pool_takes_padded_windows_for_tiles,
    batch_norm_takes_momentum_for_its_complement,
    output_padding_turned_around,
    residuals_lose_a_gradient,
    cat_loses_the_gradient_of_its_last_tensor,
    no_grad_records,
    relu_in_place_writes_elsewhere,
    keepdim_of_a_negative_axis_is_forgotten,
]


def killed_by(mutant, first: int, most: int) -> tuple[int, Difference] | None:
    """How many programs it takes, and the difference, where one of `most` differs because of the mutant alone."""
    for tried in range(1, most + 1):
        source = program_of(first + tried).source
        with pytest.MonkeyPatch.context() as patch:
            mutant(patch)
            found = difference(source)
        if found and not difference(source):
            return tried, found
    return None


@pytest.mark.parametrize("mutant", MUTANTS)
def test_planted_bugs_are_found(mutant, rng_seed):
    assert killed_by(mutant, rng_seed, 1000), f"survives the programs from seed {rng_seed} on"


def test_a_difference_becomes_a_few_lines(monkeypatch):
    _, found = killed_by(residuals_lose_a_gradient, 0, 400)
    residuals_lose_a_gradient(monkeypatch)
    assert len(statements(shrink(found).source)) <= 6


@pytest.fixture
def rng_seed():
    """Where to begin, anew every time."""
    import random

    return random.SystemRandom().randrange(2**32)
