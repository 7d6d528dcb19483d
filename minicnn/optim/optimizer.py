"""`Optimizer`: parameter groups, per-parameter state, and how both travel in a state dict."""

import copy
import sys
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from minicnn.autograd import enable_grad, no_grad
from minicnn.creation import from_numpy
from minicnn.dtypes import default_float
from minicnn.optim.fused import Fused, zeros_like
from minicnn.optim.hooks import (
    Hooks,
    hooked,
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)
from minicnn.tensor import Tensor

__all__ = ["Optimizer", "register_optimizer_step_post_hook", "register_optimizer_step_pre_hook"]

_NOT_SUPPORTED = ("capturable", "differentiable")


def number(value: Any) -> Tensor:
    """A number of an optimizer's state: in float64 where that is the default dtype, else float32, as in PyTorch."""
    return from_numpy(np.array(value, np.float64 if default_float() == np.float64 else np.float32))


class Optimizer(Hooks):
    """Base of all optimizers.

    A subclass gives `_update(group)`, which changes the group's parameters; or a `step` of its own, written
    as for PyTorch.

    Args:
        params: Tensors; or pairs of a name and a Tensor; or dicts, each with a "params" entry of either kind
            and options for these parameters alone.
        defaults: the options of groups that don't say otherwise.

    Attributes:
        param_groups: a list of dicts: "params" and the options.
        state: what the optimizer remembers of each parameter.

    Raises:
        TypeError: where `params` is a single Tensor or holds something that is no Tensor.
        ValueError: where there are no parameters, some are named and some not, one was computed from others,
            or one is in two groups.
    """

    _opt_called = False  # whether `step` was called since a scheduler began to watch
    _watched = False
    _moments: tuple[str, ...] = ()  # entries of a parameter's state that have its shape

    def __init__(self, params: Iterable, defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got a Tensor"
            )
        if isinstance(params, set):
            warnings.warn(
                "optimizer parameters need to be organized in ordered collections, but the ordering of "
                "tensors in sets will change between runs. Please use a list instead.",
                FutureWarning,
                stacklevel=3,
            )
        super().__init__()
        if defaults.get("fused") and defaults.get("foreach"):
            raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
        self.defaults = defaults
        self.state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self._fused = Fused()
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in vars(cls):
            cls.step = hooked(cls.step)  # type: ignore[method-assign]

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Learn further parameters from now on.

        Args:
            param_group: "params", and options where they differ from the defaults.

        Raises: as the class; TypeError also for an option of PyTorch's that minicnn hasn't.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        names, tensors = _split_names(param_group["params"])
        for option in _NOT_SUPPORTED:
            if param_group.get(option, self.defaults.get(option)):
                raise TypeError(f"minicnn's optimizers have no option {option!r}")
        for tensor in tensors:
            if not isinstance(tensor, Tensor):
                raise TypeError(
                    "optimizer can only optimize Tensors, but one of the params is " + type(tensor).__name__
                )
            if not (tensor.is_leaf or tensor.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor")
        if len(set(tensors)) < len(tensors):
            warnings.warn("optimizer contains a parameter group with duplicate parameters", stacklevel=3)
        for group in self.param_groups:
            if ("param_names" in group) != bool(names):
                raise ValueError("all optimizer param groups should be with/without names")
            if not set(group["params"]).isdisjoint(tensors):
                raise ValueError("some parameters appear in more than one parameter group")
        param_group["params"] = tensors
        if names:
            param_group["param_names"] = names
        for option, default in self.defaults.items():
            param_group.setdefault(option, default)
        self.param_groups.append(param_group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop every parameter's gradient, or fill it with zeros where `set_to_none` is False."""
        for parameter in self._parameters():
            if set_to_none:
                parameter._grad = None
            elif parameter.grad is not None:
                parameter.grad.zero_()

    @hooked
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter that has a gradient.

        Args:
            closure: computes the loss and its gradients anew, before the step.

        Returns: what `closure` returns, else None.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        with no_grad():
            for group in self.param_groups:
                self._update(group)
        return loss

    def _update(self, group: dict[str, Any]) -> None:
        raise NotImplementedError(f"{type(self).__name__} defines neither step nor _update")

    def _parameters(self) -> Iterator[Tensor]:
        for group in self.param_groups:
            yield from group["params"]

    def state_dict(self) -> dict[str, Any]:
        """The optimizer's state, in PyTorch's format.

        Returns: {"state": {parameter's number: its state}, "param_groups": [{..., "params": [numbers]}]};
            parameters are numbered in the order of the groups.
        """
        for hook in self._optimizer_state_dict_pre_hooks.values():
            hook(self)
        numbers: dict[int, int] = {}
        groups = []
        count = 0
        for group in self.param_groups:
            for parameter in group["params"]:
                numbers.setdefault(id(parameter), count)
                count += 1
            packed = {key: value for key, value in group.items() if key != "params"}
            packed["params"] = [numbers[id(parameter)] for parameter in group["params"]]
            groups.append(packed)
        state = {numbers.get(id(key), key): value for key, value in self.state.items()}
        result: dict[str, Any] = {"state": state, "param_groups": groups}
        for hook in self._optimizer_state_dict_post_hooks.values():
            changed = hook(self, result)
            result = result if changed is None else changed
        return result

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over state and options that `state_dict()` gave, here or in PyTorch.

        Args:
            state_dict: the state; its Tensors, ndarrays or torch tensors are copied, in the parameters'
                dtype.

        Raises:
            ValueError: where the groups don't have the sizes of this optimizer's groups, or a moment isn't of
                its parameter's shape; the optimizer is then unchanged.
        """
        state_dict = state_dict.copy()
        for hook in self._optimizer_load_state_dict_pre_hooks.values():
            changed = hook(self, state_dict)
            state_dict = state_dict if changed is None else changed
        groups = [{key: copy.deepcopy(value) for key, value in group.items()} for group in state_dict["param_groups"]]
        if len(groups) != len(self.param_groups):
            raise ValueError(
                "loaded state dict has a different number of parameter groups: "
                f"{len(groups)}, not {len(self.param_groups)}"
            )
        parameters: dict[Any, Tensor] = {}
        for own, loaded in zip(self.param_groups, groups, strict=True):
            if len(own["params"]) != len(loaded["params"]):
                raise ValueError(
                    "loaded state dict contains a parameter group that doesn't match the size of optimizer's "
                    f"group: {len(loaded['params'])}, not {len(own['params'])}"
                )
            parameters.update(zip(loaded["params"], own["params"], strict=True))
            loaded["params"] = own["params"]
            for key, value in own.items():
                if key in self.defaults or key == "param_names":
                    loaded.setdefault(key, value)
        state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        for number, entries in state_dict["state"].items():
            if number in parameters:
                parameter = parameters[number]
                state[parameter] = {key: self._own_copy(key, value, parameter) for key, value in entries.items()}
            else:
                state[number] = entries
        self.param_groups = groups
        self.state = state
        for hook in self._optimizer_load_state_dict_post_hooks.values():
            hook(self)

    def _own_copy(self, key: str, value: Any, parameter: Tensor) -> Any:
        """A loaded entry as this optimizer's own: in the parameter's dtype and, if a moment, memory order."""
        if isinstance(value, (list, tuple)):
            return type(value)(self._own_copy(key, entry, parameter) for entry in value)
        if hasattr(value, "detach"):
            value = value.detach().cpu().numpy()
        if key == "step":
            return number(value)
        if not isinstance(value, np.ndarray):
            return copy.deepcopy(value)
        if key not in self._moments:
            return from_numpy(value.astype(parameter.dtype))
        if value.shape != parameter._array.shape:
            raise ValueError(
                f"loaded {key} has shape {value.shape}, but its parameter has shape {parameter._array.shape}"
            )
        result = zeros_like(parameter)
        result._array[...] = value
        return result

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if not key.endswith("_hooks")}  # as in PyTorch

    def __setstate__(self, state: dict[str, Any]) -> None:
        Hooks.__init__(self)
        self.__dict__.update(state)

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for number, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {number}")
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return "\n".join(lines) + "\n)"


def _split_names(params: Any) -> tuple[list[str], list[Any]]:
    if isinstance(params, set):
        raise TypeError(
            "optimizer parameters need to be organized in ordered collections, but the ordering of tensors "
            "in sets will change between runs. Please use a list instead."
        )
    listed = [params] if isinstance(params, Tensor) else list(params)
    names = [entry[0] for entry in listed if isinstance(entry, tuple)]
    if names and len(names) < len(listed):
        raise ValueError("all optimizer params should be with/without names. Some param names are missing")
    return names, [entry[1] for entry in listed] if names else listed


def plain_number(name: str, value: Any) -> Any:
    """`value`, refused where it is a Tensor or larger than any float.

    Raises:
        TypeError: for a Tensor, which PyTorch would take.
        ValueError: for an int that is no float.
    """
    if isinstance(value, Tensor):
        raise TypeError(f"{name} must be a number, got a Tensor; use {name}.item()")
    if isinstance(value, int) and abs(value) > sys.float_info.max:
        raise ValueError(f"{name} is larger than any float: {value.bit_length()} bits")
    return value


_CALLED = {"lr": "learning rate", "eps": "epsilon value"}
"""What error messages call options, where it isn't \"NAME value\"."""


def check_options(lr: Any, betas: Any = None, **options: Any) -> None:
    """Refuse negative options, and betas outside 0 … 1.

    Raises:
        ValueError: for a number out of its range.
        TypeError: for a Tensor in place of a number.
    """
    for name, value in {"lr": lr, **options}.items():
        if not plain_number(name, value) >= 0.0:
            raise ValueError(f"Invalid {_CALLED.get(name, f'{name} value')}: {value}")
    for index in () if betas is None else (0, 1):
        if not 0.0 <= plain_number("betas", betas[index]) < 1.0:
            raise ValueError(f"Invalid beta parameter at index {index}: {betas[index]}")
