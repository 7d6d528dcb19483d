"""`Optimizer`: parameter groups, per-parameter state, and how both travel in a state dict."""

import copy
import functools
import sys
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from minicnn.autograd import enable_grad, no_grad
from minicnn.optim.fused import Fused, zeros_like
from minicnn.tensor import Tensor

_NOT_SUPPORTED = ("foreach", "fused", "capturable", "differentiable")


class Optimizer:
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

    _opt_called = False
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
            cls.step = _noted(cls.step)  # type: ignore[method-assign]

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Learn further parameters from now on.

        Args:
            param_group: "params", and options where they differ from the defaults.

        Raises: as the class; TypeError also for an option of PyTorch's that minicnn hasn't.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        for option in _NOT_SUPPORTED:
            if param_group.get(option):
                raise TypeError(f"minicnn's optimizers have no option {option!r}")
        names, tensors = _split_names(param_group["params"])
        for tensor in tensors:
            if not isinstance(tensor, Tensor):
                raise TypeError(
                    "optimizer can only optimize Tensors, but one of the params is " + type(tensor).__name__
                )
            if not tensor.is_leaf:
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

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter that has a gradient.

        Args:
            closure: computes the loss and its gradients anew, before the step.

        Returns: what `closure` returns, else None.
        """
        self._opt_called = True
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
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over state and options that `state_dict()` gave, here or in PyTorch.

        Args:
            state_dict: the state; its Tensors, ndarrays or torch tensors are copied, in the parameters'
                dtype.

        Raises:
            ValueError: where the groups don't have the sizes of this optimizer's groups, or a moment isn't of
                its parameter's shape; the optimizer is then unchanged.
        """
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

    def _own_copy(self, key: str, value: Any, parameter: Tensor) -> Any:
        """A loaded entry as this optimizer's own: in the parameter's dtype and, if a moment, memory order."""
        if hasattr(value, "detach"):
            value = value.detach().cpu().numpy()
        if key == "step":
            return Tensor(np.array(value, np.float32))
        if not isinstance(value, np.ndarray):
            return copy.deepcopy(value)
        if key not in self._moments:
            return Tensor(value.astype(parameter.dtype))
        if value.shape != parameter._array.shape:
            raise ValueError(
                f"loaded {key} has shape {value.shape}, but its parameter has shape {parameter._array.shape}"
            )
        result = zeros_like(parameter)
        result._array[...] = value
        return result

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for number, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {number}")
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return "\n".join(lines) + "\n)"


def _noted(step: Callable) -> Callable:
    """`step`, leaving a note for schedulers that it was called."""

    @functools.wraps(step)
    def noted(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        self._opt_called = True
        return step(self, *args, **kwargs)

    return noted


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
