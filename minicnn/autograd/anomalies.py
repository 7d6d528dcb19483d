"""Anomaly detection: a backward stops where an operation's gradient is NaN, and says where the operation was called."""

import os
import traceback
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

_HOME = os.path.dirname(os.path.dirname(__file__)) + os.sep
"""Where minicnn lies: its own lines say nothing about the program's."""


class _Detection:
    """Whether anomalies are looked for, and whether NaN is one."""

    enabled = False
    nan = True


detection = _Detection()


def is_anomaly_enabled() -> bool:
    """Whether anomalies are looked for."""
    return detection.enabled


def is_anomaly_check_nan_enabled() -> bool:
    """Whether gradients that are NaN count as anomalies."""
    return detection.nan


class set_detect_anomaly:  # noqa: N801 (torch's name)
    """Look for anomalies or don't: at once as a call, or for a block as a context manager.

    Args:
        mode: whether to look for them.
        check_nan: whether a gradient that is NaN is one.
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._before = detection.enabled, detection.nan
        detection.enabled, detection.nan = bool(mode), check_nan

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        detection.enabled, detection.nan = self._before


class detect_anomaly:  # noqa: N801 (torch's name)
    """Look for anomalies in a block.

    Args:
        check_nan: whether a gradient that is NaN is one.
    """

    def __init__(self, check_nan: bool = True) -> None:
        self._nan = check_nan
        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should only be enabled for "
            "debugging.",
            stacklevel=2,
        )

    def __enter__(self) -> None:
        self._before = detection.enabled, detection.nan
        detection.enabled, detection.nan = True, self._nan

    def __exit__(self, *_: object) -> None:
        detection.enabled, detection.nan = self._before


def note_call(node: Any) -> None:
    """Remember where a program called the operation of a node."""
    frames = [frame for frame in traceback.extract_stack() if not frame.filename.startswith(_HOME)]
    node.called = "".join(traceback.format_list(frames))


def check(node: Any, gradients: Sequence[np.ndarray | None]) -> None:
    """Raise RuntimeError where one of a node's gradients is NaN, after a warning that says where it was called."""
    for position, gradient in enumerate(gradients):
        if detection.nan and gradient is not None and np.isnan(gradient).any():
            called = getattr(node, "called", None) or "  no traceback: it was called outside of anomaly detection\n"
            warnings.warn(
                f"Error detected in {node.name()}. Traceback of forward call that caused the error:\n{called}",
                stacklevel=2,
            )
            raise RuntimeError(f"Function '{node.name()}' returned nan values in its {position}th output.")
