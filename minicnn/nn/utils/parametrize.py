"""Parameters that are computed from others each time they are read.

A parametrization is a module whose forward gives the parameter, given the original; where it has a `right_inverse`,
the parameter can be assigned to. The parametrized module gets a class of its own, derived from the one that it had, on
which the parameter is a property.
"""

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from minicnn.autograd import no_grad
from minicnn.nn.layers.containers import ModuleList
from minicnn.nn.layers.mappings import ModuleDict
from minicnn.nn.module import Module
from minicnn.nn.parameter import Parameter
from minicnn.tensor import Tensor

_cache: dict[tuple[int, str], Tensor] = {}
_cached_depth = 0


@contextmanager
def cached() -> Iterator[None]:
    """Within it, every parametrized tensor is computed once and then remembered."""
    global _cached_depth
    _cached_depth += 1
    try:
        yield
    finally:
        _cached_depth -= 1
        if not _cached_depth:
            _cache.clear()


def _register(module: Module, name: str, tensor: Any) -> None:
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


def _unlike(found: Any, wanted: Tensor) -> str | None:
    """How one tensor differs from another in kind."""
    if not isinstance(found, Tensor):
        return f"a {type(found).__name__}"
    if found.dtype != wanted.dtype:
        return f"dtype {found.dtype} in place of {wanted.dtype}"
    return f"shape {tuple(found.shape)} in place of {tuple(wanted.shape)}" if found.shape != wanted.shape else None


class ParametrizationList(ModuleList):
    """The original of a parametrized tensor, and the parametrizations that lead from there to the tensor.

    Args:
        modules: the parametrizations, in the order in which they are applied.
        original: the parameter or buffer.
        unsafe: don't check that shape and dtype stay the same.

    Attributes:
        original: what is learned; or `original0`, `original1`, …, where the first parametrization's `right_inverse`
            gives several.
        is_tensor: whether there is one original.

    Raises:
        ValueError: without parametrizations, or where one changes dtype or shape.
    """

    def __init__(self, modules: Sequence[Module], original: Tensor, unsafe: bool = False) -> None:
        if not modules:
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        with no_grad():
            found: Any = self._inverted(original, refuse=False)
        self.is_tensor = isinstance(found, Tensor)
        if self.is_tensor:
            if found.dtype != original.dtype:
                raise ValueError(
                    "When `right_inverse` outputs one tensor, it may not change the dtype, got "
                    f"{found.dtype} in place of {original.dtype}"
                )
            if found is not original:
                original.data = found.data
            _register(self, "original", original)
        else:
            if not isinstance(found, Sequence) or not all(isinstance(one, Tensor) for one in found):
                raise ValueError(f"'right_inverse' must return a Tensor or a Sequence of tensors, got {type(found)}")
            self.ntensors = len(found)
            for number, one in enumerate(found):
                kept = Parameter(one.detach(), original.requires_grad) if isinstance(original, Parameter) else one
                _register(self, f"original{number}", kept)
        if not unsafe:
            difference = _unlike(self(), original)
            if difference:
                raise ValueError(
                    "Registering a parametrization may not change the kind of the tensor, unless the `unsafe` flag is "
                    f"enabled: it gives {difference}"
                )

    def _inverted(self, value: Tensor, refuse: bool) -> Any:
        """The originals that give `value`; where `refuse`, every parametrization must be able to tell."""
        for parametrization in reversed(list(self)):
            if hasattr(parametrization, "right_inverse"):
                try:
                    value = parametrization.right_inverse(value)
                except NotImplementedError:
                    if refuse:
                        raise
            elif refuse:
                raise RuntimeError(
                    f"parametrization {type(parametrization).__name__} does not implement right_inverse."
                )
        return value

    def right_inverse(self, value: Tensor) -> None:
        """Change the originals so that the tensor becomes `value`.

        Raises:
            RuntimeError: where a parametrization has no `right_inverse`.
            ValueError: where it gives something that the originals can't take.
        """
        with no_grad():
            found: Any = self._inverted(value, refuse=True)
            names = ["original"] if self.is_tensor else [f"original{number}" for number in range(self.ntensors)]
            tensors = [found] if self.is_tensor else list(found)
            if len(tensors) != len(names):
                raise ValueError(f"'right_inverse' must return a sequence of {len(names)} tensors, got {len(tensors)}")
            for name, tensor in zip(names, tensors, strict=True):
                original = getattr(self, name)
                if not isinstance(tensor, Tensor) or tensor.dtype != original.dtype:
                    raise ValueError(f"the tensor `{name}` must keep its dtype {original.dtype}, got {tensor!r}")
                original.data = tensor.data

    def forward(self) -> Tensor:  # type: ignore[override]
        """The tensor."""
        names = ["original"] if self.is_tensor else [f"original{number}" for number in range(self.ntensors)]
        first, *others = self
        value = first(*[getattr(self, name) for name in names])
        for parametrization in others:
            value = parametrization(value)
        return value


def _property(name: str) -> property:
    """The attribute that a parametrized tensor is read through and assigned to."""

    def get(module: Module) -> Tensor:
        parametrization = module.parametrizations[name]
        if not _cached_depth:
            return parametrization()
        key = id(module), name
        if key not in _cache:
            _cache[key] = parametrization()
        return _cache[key]

    def assign(module: Module, value: Tensor) -> None:
        module.parametrizations[name].right_inverse(value)

    return property(get, assign)


def _copied(module: Module, memo: dict) -> Module:
    """A deep copy, with a class of its own."""
    result = module.__new__(type(module))
    memo[id(module)] = result
    result.__dict__.update(copy.deepcopy(module.__dict__, memo))
    plain = type(module).__bases__[0]
    _give_class(result, plain, list(module.parametrizations))
    return result


def _refuse_pickle(module: Module) -> Any:
    raise RuntimeError("Serialization of parametrized modules is only supported through state_dict().")


def _give_class(module: Module, plain: type, names: Sequence[str]) -> None:
    members: dict[str, Any] = {"__deepcopy__": _copied, "__getstate__": _refuse_pickle}
    members |= {name: _property(name) for name in names}
    module.__class__ = type(f"Parametrized{plain.__name__}", (plain,), members)


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether a module has parametrized tensors, or one of a given name."""
    found = getattr(module, "parametrizations", None)
    if not isinstance(found, ModuleDict):
        return False
    return len(found) > 0 if tensor_name is None else tensor_name in found


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Let a parameter or buffer be computed by a module, on top of those that compute it already.

    Args:
        module: whose tensor.
        tensor_name: its name.
        parametrization: computes it from the original; its `right_inverse`, if any, gives the original to begin with.
        unsafe: don't check that shape and dtype stay the same.

    Returns: the module, whose `parametrizations[tensor_name]` is a `ParametrizationList`.

    Raises:
        ValueError: where there is no such tensor, or where shape or dtype would change.
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        if not unsafe:
            tensor = getattr(module, tensor_name)
            difference = _unlike(parametrization(tensor), tensor)
            if difference:
                raise ValueError(
                    "Registering a parametrization may not change the kind of the tensor, unless the `unsafe` flag is "
                    f"enabled: it gives {difference}"
                )
        module.parametrizations[tensor_name].append(parametrization)
        module.parametrizations[tensor_name].unsafe |= unsafe
    elif tensor_name in module._parameters or tensor_name in module._buffers:
        parametrizations = ParametrizationList([parametrization], getattr(module, tensor_name), unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            _give_class(module, type(module), ())
            module.parametrizations = ModuleDict()
        setattr(type(module), tensor_name, _property(tensor_name))
        module.parametrizations[tensor_name] = parametrizations
    else:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element with name "
            f"'{tensor_name}'"
        )
    return module


def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Module:
    """Make a parametrized tensor a plain parameter or buffer again.

    Args:
        module: whose tensor.
        tensor_name: its name.
        leave_parametrized: with the value that it has now, instead of that of its original.

    Raises:
        ValueError: where it isn't parametrized, or where there are several originals to leave.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    parametrizations = module.parametrizations[tensor_name]
    if parametrizations.is_tensor:
        original = parametrizations.original
        if leave_parametrized:
            with no_grad():
                original.data = getattr(module, tensor_name).data
    elif leave_parametrized:
        value = getattr(module, tensor_name)
        original = Parameter(value.detach()) if value.requires_grad else value
    else:
        raise ValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms of a "
            "sequence of tensors."
        )
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    _register(module, tensor_name, original)
    if not is_parametrized(module):
        del module.parametrizations
        module.__class__ = type(module).__bases__[0]
    return module


def type_before_parametrizations(module: Module) -> type:
    """The class that the module had before its tensors were parametrized."""
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(
    from_module: Module, to_module: Module, tensor_name: str | None = None
) -> Module:
    """Parametrize one module as another one is, with the same originals.

    Args:
        from_module: the model.
        to_module: the module to change.
        tensor_name: of one tensor only; None for all.
    """
    names = list(from_module.parametrizations) if is_parametrized(from_module) else []
    for name in names if tensor_name is None else [tensor_name]:
        source = from_module.parametrizations[name]
        if not hasattr(to_module, name):
            setattr(to_module, name, Parameter(getattr(from_module, name).detach()))
        for parametrization in source:
            register_parametrization(to_module, name, parametrization, unsafe=source.unsafe)
        for original, tensor in source._parameters.items():
            setattr(to_module.parametrizations[name], original, tensor)
    return to_module
