"""Modules called with other parameters than their own, shaped like `torch.func`."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from minicnn.compat import missing
from minicnn.nn.module import Module
from minicnn.tensor import Tensor

__all__ = ["functional_call"]

_NONE = object()
"""Stands for a name that a module hasn't."""


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: Mapping[str, Tensor] | list[Mapping[str, Tensor]] | tuple[Mapping[str, Tensor], ...],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Call a module with other Tensors in place of parameters and buffers; gradients reach those.

    Args:
        module: the module; afterwards it is as before, but for buffers that its own forward changes.
        parameter_and_buffer_dicts: dotted names and Tensors, or several such dictionaries without common names.
        args: its argument, or a tuple of them.
        kwargs: its arguments by name.
        tie_weights: whether a Tensor given for one name of a shared parameter stands for its other names too.
        strict: whether every parameter and buffer must be given, and nothing else.

    Returns: what the module gives.

    Raises:
        TypeError: for a value that isn't a Tensor.
        ValueError: for something that isn't a dictionary, a name in two, or two values for one shared parameter.
        AttributeError: for a name below a module that there isn't.
        RuntimeError: with `strict`, for names missing or too many.
    """
    given = _merged(parameter_and_buffer_dicts)
    own = {
        **dict(module.named_parameters(remove_duplicate=False)),
        **dict(module.named_buffers(remove_duplicate=False)),
    }
    if strict:
        missing_names, unknown = [*own.keys() - given.keys()], [*given.keys() - own.keys()]
        if missing_names or unknown:
            raise RuntimeError(
                f"functional_call with strict=True: missing {sorted(missing_names)}, unexpected {sorted(unknown)}"
            )
    if tie_weights:
        given = _tied(given, own)
    arguments = () if args is None else args if isinstance(args, tuple) else (args,)
    with _in_place_of(module, given):
        return module(*arguments, **(kwargs or {}))


def _merged(given: Any) -> dict[str, Tensor]:
    if isinstance(given, Mapping):
        return dict(given)
    if not isinstance(given, (list, tuple)) or not all(isinstance(one, Mapping) for one in given):
        raise ValueError(
            f"Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, got {type(given)}"
        )
    merged: dict[str, Tensor] = {}
    for one in given:
        twice = sorted(merged.keys() & one.keys())
        if twice:
            raise ValueError(f"{twice} appeared in multiple dictionaries; behavior of functional call is ambiguous")
        merged.update(one)
    return merged


def _tied(given: dict[str, Tensor], own: dict[str, Tensor]) -> dict[str, Tensor]:
    """`given`, and the other names of the parameters that it names."""
    names: dict[int, list[str]] = {}
    for name, tensor in own.items():
        names.setdefault(id(tensor), []).append(name)
    whole = dict(given)
    for shared in names.values():
        values = {id(given[name]): given[name] for name in shared if name in given}
        if len(values) > 1:
            raise ValueError(
                f"functional_call got multiple values for keys {sorted(set(shared) & given.keys())}, which are tied. "
                "Consider using tie_weights=False"
            )
        for value in values.values():
            whole.update(dict.fromkeys(shared, value))
    return whole


@contextlib.contextmanager
def _in_place_of(module: Module, given: dict[str, Tensor]) -> Iterator[None]:
    """Put Tensors in place of parameters and buffers for a block; a new name is a parameter meanwhile."""
    former: list[tuple[dict[str, Any], str, Any]] = []
    try:
        for path, value in given.items():
            if not isinstance(value, Tensor):
                raise TypeError(f"{value} is not an instance of torch.Tensor")
            above, _, name = path.rpartition(".")
            owner = module.get_submodule(above)
            holder: dict[str, Any] = owner._buffers if name in owner._buffers else owner._parameters
            former.append((holder, name, holder.get(name, _NONE)))
            holder[name] = value
        yield
    finally:
        for holder, name, tensor in reversed(former):
            if tensor is _NONE:
                del holder[name]
            else:
                holder[name] = tensor


__getattr__ = missing.getattr_of(__name__, lambda: __all__)
