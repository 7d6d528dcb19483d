"""Methods that give each element what comes of all up to it."""

from minicnn.autograd import Variable
from minicnn.methods.in_place import in_place
from minicnn.operators import scans


class Scans(Variable):
    """The methods of Tensor that add up, multiply or compare along a dimension."""

    __slots__ = ()

    cumsum, cumsum_ = scans.cumsum, in_place(scans.cumsum)
    cumprod, cumprod_ = scans.cumprod, in_place(scans.cumprod)
    logcumsumexp = scans.logcumsumexp
    cummax = scans.cummax
    cummin = scans.cummin
    diff = scans.diff
