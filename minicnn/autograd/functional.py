"""Derivatives of functions: the Jacobian, the Hessian, and their products with vectors."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minicnn.autograd.differentiate import grad
from minicnn.autograd.mode import enable_grad
from minicnn.autograd.variable import Variable
from minicnn.compat import missing

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


def jacobian(
    func: Callable,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The derivative of every element that a function gives with respect to every element that it takes.

    Args:
        func: takes Tensors, gives a Tensor or a tuple of them.
        inputs: its argument, a Tensor, or a tuple of its arguments; floating point.
        create_graph: whether the derivative has a graph of its own, which leads to `inputs`.
        strict: whether to raise where an output depends on an input in no way, instead of giving zeros.
        vectorize: False: one element is differentiated after another.
        strategy: "reverse-mode".

    Returns: for one output and one input a Tensor of the output's shape followed by the input's. A tuple of those over
        the inputs where `inputs` is a tuple, and around that a tuple over the outputs where `func` gives one.

    Raises:
        TypeError: where inputs or outputs aren't Tensors.
        RuntimeError: for a missing dependence where `strict` asks for it.
        NotImplementedError: for `vectorize` and for another strategy.
    """
    _refuse_vectors(vectorize, strategy == "reverse-mode")
    leaves, outputs = _called(func, inputs, "jacobian", create_graph)
    rows = []
    for number, output in enumerate(_tuple(outputs)):
        lines = [_gradients(element, number, leaves, create_graph, strict) for element in _elements(output)]
        columns = zip(*lines, strict=True) if lines else [()] * len(leaves)
        rows.append(tuple([_stacked(column, output, leaf) for column, leaf in zip(columns, leaves, strict=True)]))
    by_output = tuple([row if isinstance(inputs, tuple) else row[0] for row in rows])
    return by_output if isinstance(outputs, tuple) else by_output[0]


def vjp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple:
    """The product of a vector and the Jacobian: the gradient of the sum of v · func(inputs).

    Args:
        func, inputs, create_graph, strict: as for `jacobian`.
        v: a Tensor of the shape of each output; None for a single output of one element.

    Returns: what `func` gives, and the gradient with respect to each input.

    Raises:
        TypeError, RuntimeError: as `jacobian`; RuntimeError for `v` of another shape.
    """
    leaves, outputs = _called(func, inputs, "vjp", create_graph)
    vectors = _vectors(v, outputs, "output")
    gradients = _products(_tuple(outputs), vectors, leaves, create_graph, strict)
    return _plain(outputs, create_graph), _like(gradients, inputs)


def jvp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple:
    """The product of the Jacobian and a vector: how the outputs change along v.

    The gradient with respect to w of w · J is linear in w; its own gradient, in the direction v, is J · v (Townsend, "A
    new trick for calculating Jacobian vector products", 2017).

    Args:
        func, inputs, create_graph, strict: as for `jacobian`.
        v: a Tensor of the shape of each input; None for a single input of one element.

    Returns: what `func` gives, and the product, of its shapes.

    Raises:
        TypeError, RuntimeError: as `jacobian`; RuntimeError for `v` of another shape.
    """
    leaves, outputs = _called(func, inputs, "jvp", create_graph)
    vectors = _vectors(v, inputs, "input")
    starts = [Variable._computed(np.zeros_like(output._array)) for output in _tuple(outputs)]
    for start in starts:
        start._require_grad()
    gradients = _products(_tuple(outputs), starts, leaves, True, strict)
    products = _products(gradients, vectors, starts, create_graph, strict)
    return _plain(outputs, create_graph), _like(products, outputs)


def hessian(
    func: Callable,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The second derivatives of a function of one element.

    Args:
        func: takes Tensors, gives a Tensor of one element.
        inputs, create_graph, strict, vectorize: as for `jacobian`.
        outer_jacobian_strategy: "reverse-mode".

    Returns: for one input a Tensor of its shape twice; for a tuple of inputs a tuple of tuples.

    Raises:
        TypeError, RuntimeError, NotImplementedError: as `jacobian`; RuntimeError for a function of several elements.
    """
    _refuse_vectors(vectorize, outer_jacobian_strategy == "reverse-mode")

    def gradients(*arguments: Any) -> tuple:
        return tuple(_products([_one_element(func(*arguments), "hessian")], [None], arguments, True, strict))

    several = isinstance(inputs, tuple)
    found = jacobian(gradients, _tuple(inputs), create_graph, strict)
    return found if several else found[0][0]


def vhp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple:
    """The product of a vector and the Hessian of a function of one element.

    Args:
        func, inputs, create_graph, strict: as for `hessian`.
        v: a Tensor of the shape of each input; None for a single input of one element.

    Returns: what `func` gives, and the product, of the shapes of the inputs.

    Raises:
        TypeError, RuntimeError: as `hessian`; RuntimeError for `v` of another shape.
    """
    leaves, outputs = _called(func, inputs, "vhp", create_graph)
    vectors = _vectors(v, inputs, "input")
    gradients = _products([_one_element(outputs, "vhp")], [None], leaves, True, strict)
    products = _products(gradients, vectors, leaves, create_graph, strict)
    return _plain(outputs, create_graph), _like(products, inputs)


def hvp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple:
    """The product of the Hessian of a function of one element and a vector: `vhp`, since the Hessian is symmetric."""
    return vhp(func, inputs, v, create_graph, strict)


def _refuse_vectors(vectorize: bool, reverse: bool) -> None:
    if vectorize or not reverse:
        raise NotImplementedError("minicnn differentiates element by element, in reverse mode: leave vectorize out")


def _tuple(values: Any) -> tuple:
    return values if isinstance(values, tuple) else (values,)


def _like(found: Sequence, given: Any) -> Any:
    return tuple(found) if isinstance(given, tuple) else found[0]


def _plain(outputs: Any, create_graph: bool) -> Any:
    return outputs if create_graph else _like([output.detach() for output in _tuple(outputs)], outputs)


def _called(func: Callable, inputs: Any, name: str, create_graph: bool) -> tuple[list, Any]:
    """The inputs as Tensors that require gradients, and what the function gives for them."""
    _check(inputs, f"inputs given to {name}")
    leaves = [
        value.view_as(value) if create_graph and value.requires_grad else value.detach().clone().requires_grad_()
        for value in _tuple(inputs)
    ]
    with enable_grad():
        outputs = func(*leaves)
    _check(outputs, f"outputs of the function given to {name}")
    return leaves, outputs


def _check(values: Any, what: str) -> None:
    if not all(isinstance(value, Variable) for value in _tuple(values)):
        raise TypeError(f"The {what} must be either a Tensor or a tuple of Tensors, got {type(values)}")


def _one_element(output: Any, name: str) -> Any:
    if isinstance(output, tuple) or output._array.size != 1:
        raise RuntimeError(f"The function given to {name} should return a single Tensor with a single element.")
    return output.sum()


def _vectors(v: Any, like: Any, what: str) -> list:
    """What was given as v, checked; ones where it may be left out."""
    if v is None:
        if isinstance(like, tuple) or like._array.size != 1:
            raise RuntimeError(f"The vector v can only be None if there is a single {what}, of a single element.")
        return [Variable._computed(np.ones_like(like._array))]
    if len(_tuple(v)) != len(_tuple(like)):
        raise RuntimeError(f"v has {len(_tuple(v))} Tensors for {len(_tuple(like))} of the {what}s")
    for vector, one in zip(_tuple(v), _tuple(like), strict=True):
        if vector._array.shape != one._array.shape:
            raise RuntimeError(f"v has shape {vector._array.shape}, the {what} {one._array.shape}")
    return list(_tuple(v))


def _elements(output: Any) -> list:
    with enable_grad():
        return [output[index] for index in np.ndindex(output._array.shape)]


def _gradients(output: Any, number: int, leaves: Sequence, create_graph: bool, strict: bool) -> list:
    """The gradients of one element by the inputs, zeros where it depends on none."""
    if output._requires_grad:
        found = grad(output, leaves, retain_graph=True, create_graph=create_graph, allow_unused=True)
    else:
        found = (None,) * len(leaves)
    for position, one in enumerate(found):
        if strict and one is None:
            raise RuntimeError(f"output {number} doesn't depend on input {position}, and strict=True")
    return [_or_zeros(one, leaf) for one, leaf in zip(found, leaves, strict=True)]


def _or_zeros(gradient: Any, like: Any) -> Any:
    return Variable._computed(np.zeros_like(like._array)) if gradient is None else gradient


def _stacked(gradients: Sequence, output: Any, leaf: Any) -> Any:
    """One gradient for each element of an output as a Tensor of the output's shape followed by the input's."""
    shape = (*output._array.shape, *leaf._array.shape)
    if not gradients:
        return Variable._computed(np.zeros(shape, leaf._array.dtype))
    if not any(gradient._requires_grad for gradient in gradients):
        return Variable._computed(np.stack([gradient._array for gradient in gradients]).reshape(shape))
    with enable_grad():
        rows = gradients[0].new_zeros((len(gradients), leaf._array.size))
        for row, gradient in enumerate(gradients):
            rows[row] = gradient.reshape(-1)
        return rows.reshape(shape)


def _products(outputs: Sequence, vectors: Sequence, inputs: Sequence, create_graph: bool, strict: bool) -> list:
    """The gradients of the sum of v · output by the inputs, zeros where nothing depends on them."""
    pairs = [(output, v) for output, v in zip(outputs, vectors, strict=True) if output._requires_grad]
    if strict and len(pairs) < len(outputs):
        raise RuntimeError("an output doesn't depend on the inputs, and strict=True")
    found: tuple = (None,) * len(inputs)
    if pairs:
        roots, starts = zip(*pairs, strict=True)
        found = grad(roots, list(inputs), list(starts), None, create_graph, allow_unused=True)
    if strict and any(gradient is None for gradient in found):
        raise RuntimeError("the output doesn't depend on an input, and strict=True")
    return [_or_zeros(gradient, leaf) for gradient, leaf in zip(found, inputs, strict=True)]


__getattr__ = missing.getattr_of(__name__, lambda: __all__)
