"""The switch that allows Winograd's algorithm."""

from types import TracebackType

from minicnn.kernels import choice


class winograd:  # noqa: N801 (a switch, used like a function)
    """Let `algorithm="auto"` compute 3×3 convolutions of stride 1 by Winograd's algorithm.

    It needs 2.25 to 4 multiplications for an output instead of 9, and pays with accuracy: rounding errors grow to
    about 50 eps of the largest values. So it never is the default.

        minicnn.backends.winograd(True)          # from now on

        with minicnn.backends.winograd(True):    # for a block, forward and backward
            ...

    Args:
        enabled: whether to use it.
    """

    def __init__(self, enabled: bool = True) -> None:
        self._before = choice.winograd_allowed
        choice.winograd_allowed = bool(enabled)

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        choice.winograd_allowed = self._before
