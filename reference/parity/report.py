"""What a comparison found."""

from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass
class Row:
    """A layer's call, and how far off at worst what belongs to it was, in units of the scaled bound.

    Attributes:
        name: the layer's, with " (2)" for its second call in a forward.
        kind: the layer's class.
        shape: of its output.
        errors: minicnn's, by what is off.
        pytorch: PyTorch's own in the same dtype, where it was given the same numbers; empty in float64.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    errors: dict[str, float] = field(default_factory=dict)
    pytorch: dict[str, float] = field(default_factory=dict)


class Scores(NamedTuple):
    """How far two networks' scores in evaluation are from the exact ones, as a share of the largest."""

    minicnn: float
    pytorch: float
    allowed: float


@dataclass
class Comparison:
    """What `compare` found.

    Attributes:
        rows: every call of a layer in order, the loss last.
        allowed: how large an error may be, in units of the scaled bound.
        diverged: the first disagreement, a row and which of its errors, in the first step that had one; or None.
        scores: after the last step, of minicnn and of PyTorch in the networks' dtype.
    """

    rows: list[Row]
    allowed: float
    diverged: tuple[Row, str] | None
    scores: Scores

    @property
    def agree(self) -> bool:
        """Whether nothing is off by more than allowed."""
        return self.diverged is None and self.scores.minicnn <= self.scores.allowed
