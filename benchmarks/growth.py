"""One size of a layer that grows along an axis, measured."""

from dataclasses import dataclass


@dataclass
class Point:
    """One size.

    Attributes:
        value: along the axis: images, channels, pixels of a side, or threads.
        ours, ours_back: minicnn's seconds, forward, and forward and back.
        theirs, theirs_back: PyTorch's at its faster format.
        workspace: bytes that minicnn's forward and back takes beyond inputs and results; None where unknown.
    """

    value: int
    ours: float
    ours_back: float
    theirs: float
    theirs_back: float
    workspace: int | None
