"""Functions of every element, and softmax."""

from typing import Any

from minicnn.autograd import Variable
from minicnn.operators import activation, elementwise


class Elementwise(Variable):
    """The methods of Tensor that compute every element for itself."""

    __slots__ = ()

    exp = elementwise.exp
    log = elementwise.log
    sqrt = elementwise.sqrt
    reciprocal = elementwise.reciprocal
    clamp = elementwise.clamp
    sigmoid = activation.sigmoid
    tanh = activation.tanh
    softmax = activation.softmax
    log_softmax = activation.log_softmax

    def relu(self) -> Any:
        """max(x, 0), elementwise."""
        return activation.relu(self)

    def relu_(self) -> Any:
        """All elements max(x, 0)."""
        return activation.relu(self, inplace=True)

    def clamp_(self: Any, min: Any = None, max: Any = None) -> Any:
        """All elements held within [min, max]."""
        return self._assign(lambda x: elementwise.clamp(x, min, max), min, max)
