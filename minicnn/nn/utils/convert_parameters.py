"""All parameters as one vector, and back."""

from collections.abc import Iterable

from minicnn.operators.joining import cat
from minicnn.tensor import Tensor


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All elements of all parameters, one after another, inside the graph.

    Args:
        parameters: Tensors.

    Returns: (n,)
    """
    return cat([parameter.view(-1) for parameter in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Give parameters the values of a vector, whose memory they then share.

    Args:
        vec: (n,)
        parameters: Tensors of n elements in all.

    Raises:
        TypeError: where `vec` is no Tensor.
        RuntimeError: where it is too short.
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {type(vec).__name__}")
    start = 0
    for parameter in parameters:
        end = start + parameter.numel()
        parameter.data = vec[start:end].view_as(parameter).data
        start = end
