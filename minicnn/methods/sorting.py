"""Methods that sort, or find elements by their order."""

from minicnn.autograd import Variable
from minicnn.operators import quantiles, searching, sorting


class Sorting(Variable):
    """The methods of Tensor that depend on the order of elements."""

    __slots__ = ()

    sort = sorting.sort
    argsort = sorting.argsort
    msort = sorting.msort
    topk = sorting.topk
    kthvalue = sorting.kthvalue
    median = sorting.median
    nanmedian = sorting.nanmedian
    mode = sorting.mode
    quantile = quantiles.quantile
    nanquantile = quantiles.nanquantile
    unique = searching.unique
    unique_consecutive = searching.unique_consecutive
    bincount = searching.bincount
    histc = searching.histc
