"""Pruning by masks: a parameter becomes `weight_orig`, its mask the buffer `weight_mask`, their product `weight`.

The product is computed before every forward. A method says in `compute_mask` what to prune; methods applied one after
another to the same parameter are collected in a `PruningContainer`, each working on what is left.
"""

import numbers
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any

from minicnn.creation import ones_like, rand, rand_like, zeros_like
from minicnn.nn.module import Module
from minicnn.nn.utils.convert_parameters import parameters_to_vector
from minicnn.operators.norms import norm
from minicnn.tensor import Tensor


class BasePruningMethod(ABC):
    """What all methods share; a subclass defines `compute_mask` and, for containers, `PRUNING_TYPE`.

    Attributes:
        PRUNING_TYPE: "unstructured", "structured" or "global".
    """

    PRUNING_TYPE: str
    _tensor_name: str | None = None

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, str(self._tensor_name), self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask, of zeros and ones.

        Args:
            t: importance scores, as a rule the parameter.
            default_mask: the mask so far, of the same shape.
        """

    def apply_mask(self, module: Module) -> Tensor:
        """The product of mask and original.

        Raises:
            AssertionError: where the method hasn't been applied.
        """
        name = self._tensor_name
        if name is None:
            raise AssertionError(f"Module {module} has to be pruned")
        original = getattr(module, f"{name}_orig")
        return getattr(module, f"{name}_mask").to(dtype=original.dtype) * original

    @classmethod
    def apply(
        cls, module: Module, name: str, *args: Any, importance_scores: Tensor | None = None, **kwargs: Any
    ) -> "BasePruningMethod":
        """Prune a parameter, on top of how it is pruned already.

        Args:
            module: whose parameter.
            name: its name.
            args, kwargs: for the method's constructor.
            importance_scores: of the parameter's shape; the parameter itself by default.

        Returns: the method, or the container of all applied so far.

        Raises:
            AssertionError: where the scores have another shape.
        """
        method = cls(*args, **kwargs)
        method._tensor_name = name
        former = _hook_of(module, name)
        current = getattr(module, name)
        scores = current if importance_scores is None else importance_scores
        if scores.shape != current.shape:
            raise AssertionError(
                f"importance_scores should have the same shape as parameter {name} of {module}, got {scores.shape} vs "
                f"{current.shape}"
            )
        if former is None:
            mask = method.compute_mask(scores, default_mask=ones_like(current))
            del module._parameters[name]
            module.register_parameter(f"{name}_orig", current)
        else:
            container = former[1] if isinstance(former[1], PruningContainer) else PruningContainer(former[1])
            container.add_pruning_method(method)
            method = container
            mask = container.compute_mask(scores, default_mask=getattr(module, f"{name}_mask").detach().clone())
            del module._forward_pre_hooks[former[0]]
        module.register_buffer(f"{name}_mask", mask)
        setattr(module, name, method.apply_mask(module))
        module.register_forward_pre_hook(method)
        return method

    def prune(self, t: Tensor, default_mask: Tensor | None = None, importance_scores: Tensor | None = None) -> Tensor:
        """A pruned tensor, without any module.

        Args:
            t: the tensor.
            default_mask: the mask so far; ones by default.
            importance_scores: of the same shape; the tensor itself by default.

        Raises:
            AssertionError: where the scores have another shape.
        """
        scores = t if importance_scores is None else importance_scores
        if scores.shape != t.shape:
            raise AssertionError(
                f"importance_scores should have the same shape as tensor t, got {scores.shape} vs {t.shape}"
            )
        return t * self.compute_mask(scores, default_mask=ones_like(t) if default_mask is None else default_mask)

    def remove(self, module: Module) -> None:
        """Make the pruned parameter a plain one again, of the value that it has."""
        weight = self.apply_mask(module)
        name = str(self._tensor_name)
        delattr(module, name)
        original = module._parameters[f"{name}_orig"]
        original.data = weight.data  # type: ignore[union-attr]
        del module._parameters[f"{name}_orig"]
        del module._buffers[f"{name}_mask"]
        setattr(module, name, original)


def _hook_of(module: Module, name: str) -> tuple[int, BasePruningMethod] | None:
    for number, hook in module._forward_pre_hooks.items():
        if isinstance(hook, BasePruningMethod) and hook._tensor_name == name:
            return number, hook
    return None


class PruningContainer(BasePruningMethod):
    """Methods applied one after another to the same parameter.

    Args:
        args: the methods.
    """

    def __init__(self, *args: BasePruningMethod) -> None:
        self._pruning_methods: tuple[BasePruningMethod, ...] = ()
        if len(args) == 1:
            self._tensor_name = args[0]._tensor_name
        for method in args:
            self.add_pruning_method(method)

    def add_pruning_method(self, method: BasePruningMethod | None) -> None:
        """Add a method.

        Raises:
            TypeError: for something else.
            ValueError: for a method of another parameter.
        """
        if method is None:
            return
        if not isinstance(method, BasePruningMethod):
            raise TypeError(f"{type(method)} is not a BasePruningMethod subclass")
        if self._tensor_name != method._tensor_name:
            raise ValueError(
                f"Can only add pruning methods acting on the parameter named '{self._tensor_name}' to "
                f"PruningContainer {self}. Found '{method._tensor_name}'"
            )
        self._pruning_methods += (method,)

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Iterator[BasePruningMethod]:
        return iter(self._pruning_methods)

    def __getitem__(self, index: Any) -> Any:
        return self._pruning_methods[index]

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask so far, and what the newest method prunes of the rest."""
        method = self._pruning_methods[-1]
        mask = default_mask.to(dtype=t.dtype)
        left: Any
        if method.PRUNING_TYPE == "unstructured":
            left = mask == 1
        elif method.PRUNING_TYPE == "structured":
            dim = getattr(method, "dim", 0) % t.ndim
            others = [d for d in range(t.ndim) if d != dim]
            left = (*[slice(None)] * dim, mask.sum(dim=others) != 0)
        elif method.PRUNING_TYPE == "global":
            left = (slice(None),) * t.ndim
        else:
            raise ValueError(f"Unrecognized PRUNING_TYPE {method.PRUNING_TYPE}")
        result = mask.clone()
        result[left] = method.compute_mask(t[left], default_mask=mask[left]).to(dtype=mask.dtype)
        return result


def _check_amount(amount: Any) -> None:
    if not isinstance(amount, numbers.Real):
        raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
    whole = isinstance(amount, numbers.Integral)
    if float(amount) < 0 or (not whole and float(amount) > 1):
        raise ValueError(f"amount={amount} should either be a float in the range [0, 1] or a non-negative integer")


def _count(amount: Any, size: int) -> int:
    """How many of `size` to prune."""
    if not isinstance(amount, numbers.Integral):
        return round(amount * size)
    if int(amount) > size:
        raise ValueError(f"amount={amount} should be smaller than the number of parameters to prune={size}")
    return int(amount)


class _WithAmount(BasePruningMethod):
    """Methods of an amount, the number or the share of what is pruned."""

    def __init__(self, amount: Any) -> None:
        _check_amount(amount)
        self.amount = amount


class Identity(BasePruningMethod):
    """Prunes nothing."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask so far."""
        return default_mask

    @classmethod
    def apply(cls, module: Module, name: str) -> BasePruningMethod:  # type: ignore[override]
        """As `BasePruningMethod.apply`."""
        return super().apply(module, name)


def _unstructured(scores: Tensor, mask: Tensor, amount: Any) -> Tensor:
    """The mask without the places of the smallest scores."""
    count = _count(amount, mask.numel())
    result = mask.clone().contiguous()
    result.view(-1)[scores.reshape(-1).argsort()[:count]] = 0
    return result


class RandomUnstructured(_WithAmount):
    """Prunes elements at random.

    Args:
        amount: how many, an int, or which share, a float.
    """

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask without some elements."""
        return _unstructured(rand_like(t.detach()), default_mask, self.amount)


class L1Unstructured(_WithAmount):
    """Prunes the elements of the smallest absolute values.

    Args:
        amount: how many, an int, or which share, a float.
    """

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask without the smallest elements."""
        return _unstructured(t.detach().abs(), default_mask, self.amount)


class _Structured(_WithAmount):
    """Methods that prune whole slices along a dimension."""

    PRUNING_TYPE = "structured"

    def __init__(self, amount: Any, dim: int = -1) -> None:
        super().__init__(amount)
        self.dim = dim

    def _scores(self, t: Tensor) -> Tensor:
        """How important every slice is."""
        raise NotImplementedError

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask without the slices of the smallest scores."""
        if t.ndim < 2:
            raise ValueError(
                "Structured pruning can only be applied to multidimensional tensors. Found tensor of shape "
                f"{t.shape} with {t.ndim} dims"
            )
        if self.dim >= t.ndim:
            raise IndexError(f"Invalid index {self.dim} for tensor of size {t.shape}")
        dim = self.dim % t.ndim
        count = _count(self.amount, t.shape[dim])
        if not count:
            return default_mask
        kept = self._scores(t.detach()).argsort()[count:]
        slices = zeros_like(t.detach())
        slices[(*[slice(None)] * dim, kept)] = 1
        return slices * default_mask.to(dtype=slices.dtype)


class RandomStructured(_Structured):
    """Prunes slices at random.

    Args:
        amount: how many, an int, or which share, a float.
        dim: the dimension along which the slices lie.
    """

    def _scores(self, t: Tensor) -> Tensor:
        return rand(t.shape[self.dim])


class LnStructured(_Structured):
    """Prunes the slices of the smallest norms.

    Args:
        amount: how many, an int, or which share, a float.
        n: the order of the norm.
        dim: the dimension along which the slices lie.
    """

    def __init__(self, amount: Any, n: Any, dim: int = -1) -> None:
        super().__init__(amount, dim)
        self.n = n

    def _scores(self, t: Tensor) -> Tensor:
        return norm(t, self.n, [d for d in range(t.ndim) if d != self.dim % t.ndim])


class CustomFromMask(BasePruningMethod):
    """Prunes by a given mask.

    Args:
        mask: of the parameter's shape.
    """

    PRUNING_TYPE = "global"

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Both masks together.

        Raises:
            AssertionError: where they differ in shape.
        """
        if default_mask.shape != self.mask.shape:
            raise AssertionError(f"the mask must be of shape {default_mask.shape}, got {self.mask.shape}")
        return default_mask * self.mask.to(dtype=default_mask.dtype)


def identity(module: Module, name: str) -> Module:
    """Prepare a parameter for pruning, without pruning anything."""
    Identity.apply(module, name)
    return module


def random_unstructured(module: Module, name: str, amount: Any) -> Module:
    """Prune elements at random; see `RandomUnstructured`."""
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(module: Module, name: str, amount: Any, importance_scores: Tensor | None = None) -> Module:
    """Prune the elements of the smallest absolute values; see `L1Unstructured`."""
    L1Unstructured.apply(module, name, amount, importance_scores=importance_scores)
    return module


def random_structured(module: Module, name: str, amount: Any, dim: int) -> Module:
    """Prune slices at random; see `RandomStructured`."""
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(
    module: Module, name: str, amount: Any, n: Any, dim: int, importance_scores: Tensor | None = None
) -> Module:
    """Prune the slices of the smallest norms; see `LnStructured`."""
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module: Module, name: str, mask: Tensor) -> Module:
    """Prune by a given mask; see `CustomFromMask`."""
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(
    parameters: Iterable[tuple[Module, str]],
    pruning_method: type[BasePruningMethod],
    importance_scores: dict | None = None,
    **kwargs: Any,
) -> None:
    """Prune several parameters as if they were one.

    Args:
        parameters: modules and names of their parameters.
        pruning_method: an unstructured method.
        importance_scores: for some or all (module, name), of the parameters' shapes.
        kwargs: for the method's constructor.

    Raises:
        TypeError: for another kind of method or arguments.
    """
    if not isinstance(parameters, Iterable):
        raise TypeError("global_unstructured(): parameters is not an Iterable")
    scores = {} if importance_scores is None else importance_scores
    if not isinstance(scores, dict):
        raise TypeError("global_unstructured(): importance_scores must be of type dict")
    pairs = list(parameters)
    method = pruning_method(**kwargs)
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method '
            f"{pruning_method} of type {method.PRUNING_TYPE}"
        )
    tensors = [getattr(module, name) for module, name in pairs]
    found = [scores.get(pair, tensor) for pair, tensor in zip(pairs, tensors, strict=True)]
    masks = [
        getattr(module, f"{name}_mask", ones_like(tensor))
        for (module, name), tensor in zip(pairs, tensors, strict=True)
    ]
    mask = PruningContainer(method).compute_mask(*(parameters_to_vector(_dense(one)) for one in (found, masks)))
    start = 0
    for (module, name), tensor in zip(pairs, tensors, strict=True):
        custom_from_mask(module, name, mask[start : start + tensor.numel()].view_as(tensor))
        start += tensor.numel()


def _dense(tensors: Iterable[Tensor]) -> list[Tensor]:
    return [tensor.detach().contiguous() for tensor in tensors]


def remove(module: Module, name: str) -> Module:
    """Make a pruned parameter a plain one again, of the value that it has.

    Raises:
        ValueError: where it isn't pruned.
    """
    found = _hook_of(module, name)
    if found is None:
        raise ValueError(f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed")
    number, method = found
    method.remove(module)
    del module._forward_pre_hooks[number]
    return module


def is_pruned(module: Module) -> bool:
    """Whether any parameter of the module or below it is pruned."""
    return any(
        isinstance(hook, BasePruningMethod) for child in module.modules() for hook in child._forward_pre_hooks.values()
    )
