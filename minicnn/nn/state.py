"""What a module writes into a state dict, and how a state dict is read back: entirely or not at all."""

import warnings
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from minicnn.attributes import Size
from minicnn.autograd.hooks import RemovableHandle, register
from minicnn.nn.parameter import Parameter
from minicnn.nn.uninitialized import is_lazy
from minicnn.tensor import Tensor, computed

EXTRA_STATE = "_extra_state"
"""The last part of the name under which a state dict holds what `get_extra_state` gives."""


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict(strict=False)` left over.

    Attributes:
        missing_keys: names the module has and the state dict hasn't.
        unexpected_keys: names the state dict has and the module hasn't.
    """

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


class Stateful:
    """What a `Module` does to be written into a state dict and read from one."""

    _version: int
    _parameters: dict
    _buffers: dict
    _modules: dict
    _non_persistent_buffers_set: set
    _state_dict_pre_hooks: OrderedDict
    _state_dict_hooks: OrderedDict
    _load_state_dict_pre_hooks: OrderedDict
    _load_state_dict_post_hooks: OrderedDict

    def state_dict(self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False) -> Any:
        """Parameters and persistent buffers by their dotted names.

        Args:
            args: the same in this order, as old programs write it.
            destination: a mapping to add to; a new ordered dictionary by default.
            prefix: what every name starts with.
            keep_vars: give the parameters themselves instead of Tensors outside the graph that share
                their memory.
        """
        if args:
            warnings.warn("Positional args are being deprecated, use kwargs instead.", FutureWarning, stacklevel=2)
            given = [*args, *(destination, prefix, keep_vars)[len(args) :]]
            destination, prefix, keep_vars = given
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = metadata
        for hook in self._state_dict_pre_hooks.values():
            hook(self, prefix, keep_vars)
        for name, tensor in own_state(self).items():
            destination[prefix + name] = tensor if keep_vars else tensor.detach()
        if _overrides(self, "get_extra_state"):
            destination[prefix + EXTRA_STATE] = self.get_extra_state()
        for name, child in self._modules.items():
            if child is not None:
                child.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook, returns in self._state_dict_hooks.values():
            result = hook(self, destination, prefix, metadata)
            if result is not None and not returns:
                raise RuntimeError("state_dict post-hook must return None")
            destination = destination if result is None else result
        return destination

    def load_state_dict(self, state_dict: Any, strict: bool = True, assign: bool = False) -> IncompatibleKeys:
        """Copy values into parameters and buffers, converted to their dtypes; all of them, or none.

        Args:
            state_dict: dotted names to Tensors, ndarrays or torch tensors.
            strict: whether the names must be exactly those of `state_dict()`.
            assign: put the values themselves in the place of parameters and buffers, with the dtypes they have.

        Returns: a named tuple of `missing_keys` and `unexpected_keys`.

        Raises:
            RuntimeError: naming every missing or unexpected key (where strict) and every value that doesn't
                fit; the module is then unchanged, unless hooks or extra state changed it.
            TypeError: where `state_dict` is no mapping.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        plan = _Plan(getattr(state_dict, "_metadata", None) or {}, assign)
        plan.visit(self, dict(state_dict), "")
        keys = IncompatibleKeys(plan.missing, plan.unexpected)
        if plan.hooks and not plan.problems:
            plan.execute()
            for module, hook in plan.hooks:
                if hook(module, keys) is not None:
                    raise AssertionError(
                        "Hooks registered with ``register_load_state_dict_post_hook`` are not expected to return new "
                        "values, if incompatible_keys need to be modified, it should be done inplace."
                    )
        problems = list(plan.problems)
        if strict and plan.unexpected:
            problems.insert(0, f"Unexpected key(s) in state_dict: {_quoted(plan.unexpected)}. ")
        if strict and plan.missing:
            problems.insert(0, f"Missing key(s) in state_dict: {_quoted(plan.missing)}. ")
        if problems:
            lines = "\n\t".join(problems)
            raise RuntimeError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t{lines}")
        plan.execute()
        return keys

    def get_extra_state(self) -> Any:
        """What else belongs to the module's state; a subclass that defines it has it in `state_dict()`.

        Raises:
            RuntimeError: where the subclass doesn't.
        """
        raise RuntimeError("get_extra_state is for a subclass to define, together with set_extra_state")

    def set_extra_state(self, state: Any) -> None:
        """Take what `get_extra_state` gave back from a state dict.

        Raises:
            RuntimeError: where the subclass doesn't define it.
        """
        raise RuntimeError("set_extra_state is for a subclass to define, together with get_extra_state")

    def register_state_dict_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(module, prefix, keep_vars)` before the module writes its state; returns a handle."""
        return register(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(module, state_dict, prefix, metadata)` after the module wrote its state; returns a handle.

        The hook may change the state dict, and returns None.
        """
        return register(self._state_dict_hooks, (hook, False))

    def _register_state_dict_hook(self, hook: Callable) -> RemovableHandle:
        """As `register_state_dict_post_hook`, but what the hook returns, unless None, replaces the state dict."""
        return register(self._state_dict_hooks, (hook, True))

    def register_load_state_dict_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Call a hook before the module reads its state; returns a handle.

        It is called with (module, state_dict, prefix, metadata, strict, missing_keys, unexpected_keys, error_msgs), and
        may change the state dict, which holds what belongs to this module and its children.
        """
        return register(self._load_state_dict_pre_hooks, (hook, True))

    def _register_load_state_dict_pre_hook(self, hook: Callable, with_module: bool = False) -> RemovableHandle:
        """As `register_load_state_dict_pre_hook`; without `with_module` the hook isn't given the module."""
        return register(self._load_state_dict_pre_hooks, (hook, with_module))

    def register_load_state_dict_post_hook(self, hook: Callable) -> RemovableHandle:
        """Call `hook(module, incompatible_keys)` after a state was read; it may change the lists."""
        return register(self._load_state_dict_post_hooks, hook)

    def _may_lack(self, name: str, version: int | None) -> bool:
        """Whether a state dict written by `version` of this class is complete without `name`."""
        return False


def _overrides(module: Stateful, method: str) -> bool:
    return getattr(type(module), method) is not getattr(Stateful, method)


def own_state(module: Any) -> dict[str, Tensor]:
    """The module's parameters and persistent buffers, those of its children apart."""
    state: dict[str, Tensor | None] = dict(module._parameters)
    for name, buffer in module._buffers.items():
        if name not in module._non_persistent_buffers_set:
            state[name] = buffer
    return {name: tensor for name, tensor in state.items() if tensor is not None}


def _quoted(keys: list[str]) -> str:
    return ", ".join(f'"{key}"' for key in keys)


class _Plan:
    """All that loading would do and all that stands against it, found without touching a thing."""

    def __init__(self, metadata: Mapping, assign: bool) -> None:
        self.metadata = metadata
        self.assign = assign
        self.missing: list[str] = []
        self.unexpected: list[str] = []
        self.problems: list[str] = []
        self.hooks: list[tuple[Any, Callable]] = []
        self._steps: list[Callable[[], Any]] = []

    def execute(self) -> None:
        """Load; nothing is left to do for a second time."""
        steps, self._steps = self._steps, []
        for step in steps:
            step()

    def visit(self, module: Any, entries: dict[str, Any], prefix: str) -> None:
        """Plan for `module`, whose entries all start with `prefix`, and for its children."""
        metadata = self.metadata.get(prefix[:-1], {})
        for hook, with_module in module._load_state_dict_pre_hooks.values():
            given = (module,) if with_module else ()
            hook(*given, entries, prefix, metadata, True, self.missing, self.unexpected, self.problems)
        own = own_state(module)
        for name, tensor in own.items():
            if prefix + name in entries:
                self._plan_copy(module, name, prefix + name, tensor, entries[prefix + name])
            elif not module._may_lack(name, metadata.get("version")):
                self.missing.append(prefix + name)
        extra = prefix + EXTRA_STATE
        if _overrides(module, "set_extra_state"):
            if extra in entries:
                self._steps.append(lambda: module.set_extra_state(entries[extra]))
            else:
                self.missing.append(extra)
        elif extra in entries:
            self.unexpected.append(extra)
        for key in entries:
            head, dot, _ = key[len(prefix) :].partition(".")
            if key != extra and key.startswith(prefix) and head not in (module._modules if dot else own):
                self.unexpected.append(key)
        for name, child in module._modules.items():
            if child is not None:
                start = f"{prefix}{name}."
                self.visit(child, {k: v for k, v in entries.items() if k.startswith(start)}, start)
        self.hooks += [(module, hook) for hook in module._load_state_dict_post_hooks.values()]

    def _plan_copy(self, module: Any, name: str, key: str, target: Any, value: Any) -> None:
        if is_lazy(value):
            if not is_lazy(target):
                self.problems.append(f'"{key}" is uninitialized in the state dict, but not in the model')
            return
        try:
            source = as_array(value)
        except TypeError as error:
            self.problems.append(f'"{key}" cannot be read: {error}')
            return
        if is_lazy(target):
            self._steps.append(lambda: target.materialize(source.shape))
        else:
            shape = target._array.shape
            if shape == () and source.shape == (1,):  # as PyTorch allows, for the sake of old checkpoints
                source = source.reshape(())
            if source.shape != shape:
                self.problems.append(
                    f"size mismatch for {key}: copying a param with shape {Size(source.shape)} from checkpoint, the "
                    f"shape in current model is {Size(shape)}."
                )
                return
        if self.assign:
            self._steps.append(lambda: setattr(module, name, _in_place_of(target, value, source)))
        else:
            self._steps.append(lambda: _copy(target, source))


def _copy(target: Tensor, source: np.ndarray) -> None:
    np.copyto(target._array, source, casting="unsafe")
    target._bump()


def _in_place_of(target: Tensor, value: Any, source: np.ndarray) -> Tensor:
    """`value` as a parameter or buffer like `target`."""
    tensor = value if isinstance(value, Tensor) and value._array is source else computed(source)
    if not isinstance(target, Parameter):
        return tensor
    if not isinstance(tensor, Parameter):
        return Parameter(tensor, target.requires_grad)
    return tensor.requires_grad_(target.requires_grad)  # type: ignore[return-value]


def as_array(value: Any) -> np.ndarray:
    """The numbers in a Tensor, an ndarray or a torch tensor (recognised by its methods, never imported).

    Raises:
        TypeError: where `value` holds no numbers.
    """
    if isinstance(value, Tensor):
        return value._array
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    if not isinstance(value, (np.ndarray, np.generic)):
        raise TypeError(f"expected a Tensor, an ndarray or a torch tensor, got {type(value).__name__}")
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"expected real numbers, got an array of {array.dtype}")
    return array
