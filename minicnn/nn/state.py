"""What a module writes into a state dict, and how a state dict is read back: entirely or not at all."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from minicnn.tensor import Tensor

if TYPE_CHECKING:
    from minicnn.nn.module import Module


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
        return f"IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


def own_state(module: "Module") -> dict[str, Tensor]:
    """The module's parameters and persistent buffers, those of its children apart."""
    state: dict[str, Tensor | None] = dict(module._parameters)
    for name, buffer in module._buffers.items():
        if name not in module._non_persistent_buffers_set:
            state[name] = buffer
    return {name: tensor for name, tensor in state.items() if tensor is not None}


def write(module: "Module", destination: Any, prefix: str, keep_vars: bool) -> Any:
    """Put the state of `module` and everything below it into `destination`."""
    if destination is None:
        destination = OrderedDict()
        destination._metadata = OrderedDict()
    if hasattr(destination, "_metadata"):
        destination._metadata[prefix[:-1]] = {"version": module._version}
    for name, tensor in own_state(module).items():
        destination[prefix + name] = tensor if keep_vars else tensor.detach()
    for name, child in module._modules.items():
        if child is not None:
            child.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
    return destination


def read(module: "Module", state_dict: Any, strict: bool) -> IncompatibleKeys:
    """Copy `state_dict` into `module`; see `Module.load_state_dict`."""
    if not isinstance(state_dict, Mapping):
        raise TypeError(f"state_dict must be a mapping of names to tensors, got {type(state_dict).__name__}")
    plan = _Plan(getattr(state_dict, "_metadata", {}))
    plan.visit(module, dict(state_dict), "")
    problems = list(plan.problems)
    if strict and plan.unexpected:
        problems.insert(0, f"Unexpected key(s) in state_dict: {_quoted(plan.unexpected)}. ")
    if strict and plan.missing:
        problems.insert(0, f"Missing key(s) in state_dict: {_quoted(plan.missing)}. ")
    if problems:
        lines = "\n\t".join(problems)
        raise RuntimeError(f"Error(s) in loading state_dict for {type(module).__name__}:\n\t{lines}")
    for target, source in plan.copies:
        np.copyto(target._array, source, casting="unsafe")
        target._bump()
    return IncompatibleKeys(plan.missing, plan.unexpected)


def _quoted(keys: list[str]) -> str:
    return ", ".join(f'"{key}"' for key in keys)


class _Plan:
    """All that loading would do and all that stands against it, found without touching a thing."""

    def __init__(self, metadata: Mapping) -> None:
        self.metadata = metadata
        self.missing: list[str] = []
        self.unexpected: list[str] = []
        self.problems: list[str] = []
        self.copies: list[tuple[Tensor, np.ndarray]] = []

    def visit(self, module: "Module", entries: dict[str, Any], prefix: str) -> None:
        """Plan for `module`, whose entries all start with `prefix`, and for its children."""
        own = own_state(module)
        version = self.metadata.get(prefix[:-1], {}).get("version")
        for name, tensor in own.items():
            if prefix + name in entries:
                self._plan_copy(prefix + name, tensor, entries[prefix + name])
            elif not module._may_lack(name, version):
                self.missing.append(prefix + name)
        for key in entries:
            head, dot, _ = key[len(prefix) :].partition(".")
            if head not in (module._modules if dot else own):
                self.unexpected.append(key)
        for name, child in module._modules.items():
            if child is not None:
                start = f"{prefix}{name}."
                self.visit(child, {k: v for k, v in entries.items() if k.startswith(start)}, start)

    def _plan_copy(self, key: str, target: Tensor, value: Any) -> None:
        try:
            source = as_array(value)
        except TypeError as error:
            self.problems.append(f'"{key}" cannot be read: {error}')
            return
        shape = target._array.shape
        if shape == () and source.shape == (1,):  # as PyTorch allows, for the sake of old checkpoints
            source = source.reshape(())
        if source.shape != shape:
            self.problems.append(
                f"size mismatch for {key}: copying a param with shape {source.shape} from checkpoint, the "
                f"shape in current model is {shape}."
            )
            return
        self.copies.append((target, source))


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
