"""Mixed precision, which minicnn has none of: asked for on a GPU it is switched off, as PyTorch does without one."""

import functools
import warnings
from collections.abc import Callable
from types import TracebackType
from typing import Any

__all__ = ["GradScaler", "autocast"]


class autocast:  # noqa: N801 (torch's name)
    """A block whose operations would choose a smaller dtype by themselves; here they keep theirs.

    Works as a context manager and as a decorator. Without a GPU PyTorch warns and switches it off for `"cuda"`; so does
    this.

    Args:
        device_type: `"cuda"` or `"cpu"`.
        dtype: the smaller dtype.
        enabled: whether it is asked for.
        cache_enabled: whether casts of parameters would be kept.

    Raises:
        RuntimeError: where it is asked for on the CPU, or `device_type` is unknown.
    """

    def __init__(
        self, device_type: str, dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        if not isinstance(device_type, str):
            raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
        if device_type not in ("cpu", "cuda"):
            raise RuntimeError(f"autocast knows the devices 'cpu' and 'cuda', got {device_type!r}")
        if enabled and device_type == "cpu":
            raise RuntimeError(
                "minicnn has no mixed precision: operations compute in the dtype of their inputs; pass enabled=False"
            )
        if enabled:
            warnings.warn("CUDA is not available. Disabling autocast.", UserWarning, stacklevel=2)
        self.device, self.dtype = device_type, dtype

    def __enter__(self) -> "autocast":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def __call__(self, function: Callable) -> Callable:
        @functools.wraps(function)
        def decorated(*arguments: Any, **named: Any) -> Any:
            with self:
                return function(*arguments, **named)

        return decorated


class GradScaler:
    """Scaling of a loss whose gradients would underflow in half precision; here nothing is scaled.

    Args:
        device: `"cuda"` or `"cpu"`. Without a GPU PyTorch warns and switches the scaler off for `"cuda"`; so does this.
        init_scale, growth_factor, backoff_factor, growth_interval: the settings of a scaler that is on.
        enabled: whether it is asked for.

    Raises:
        RuntimeError: where it is asked for on the CPU.
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        if enabled and device == "cpu":
            raise RuntimeError("minicnn has no mixed precision, whose gradients need no scaling; pass enabled=False")
        if enabled:
            warnings.warn("GradScaler is enabled, but CUDA is not available.  Disabling.", UserWarning, stacklevel=2)

    def scale(self, outputs: Any) -> Any:
        """The loss as it is."""
        return outputs

    def unscale_(self, optimizer: Any) -> None:
        """Leave the gradients as they are: they were not scaled."""

    def step(self, optimizer: Any, *arguments: Any, **named: Any) -> Any:
        """`optimizer.step(*arguments, **named)`"""
        return optimizer.step(*arguments, **named)

    def update(self, new_scale: Any = None) -> None:
        """Leave the scale at 1."""

    def is_enabled(self) -> bool:
        """False"""
        return False

    def get_scale(self) -> float:
        """1.0"""
        return 1.0

    def state_dict(self) -> dict[str, Any]:
        """An empty dictionary, as of PyTorch's scaler when it is off."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take nothing: there is no state."""
