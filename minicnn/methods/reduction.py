"""Sums, means, largest and smallest elements."""

from minicnn.autograd import Variable
from minicnn.methods.in_place import in_place
from minicnn.operators import extremes, norms, reduction, statistics, truth


class Reduction(Variable):
    """The methods of Tensor that make one element of several."""

    __slots__ = ()

    sum = reduction.sum
    mean = reduction.mean
    var = reduction.var
    std = reduction.std
    max = extremes.maximum
    min = extremes.minimum
    argmax = extremes.argmax
    argmin = extremes.argmin
    any = truth.any_of
    all = truth.all_of
    count_nonzero = truth.count_nonzero
    amax = extremes.amax
    amin = extremes.amin
    aminmax = extremes.aminmax
    prod = reduction.prod
    logsumexp = reduction.logsumexp
    nansum = statistics.nansum
    nanmean = statistics.nanmean
    cov = statistics.cov
    corrcoef = statistics.corrcoef
    norm = norms.norm
    dist = norms.dist
    renorm, renorm_ = norms.renorm, in_place(norms.renorm)
