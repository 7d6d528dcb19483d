"""Sums, means, largest and smallest elements."""

from minicnn.autograd import Variable
from minicnn.operators import reduction


class Reduction(Variable):
    """The methods of Tensor that make one element of several."""

    __slots__ = ()

    sum = reduction.sum
    mean = reduction.mean
    var = reduction.var
    std = reduction.std
    max = reduction.maximum
    min = reduction.minimum
    argmax = reduction.argmax
    argmin = reduction.argmin
    any = reduction.any_of
    all = reduction.all_of
