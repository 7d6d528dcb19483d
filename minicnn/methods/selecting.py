"""Methods that select elements, or put others in their place."""

from minicnn.autograd import Variable
from minicnn.methods.in_place import in_place
from minicnn.operators import masking, putting, scattering, selecting


class Selecting(Variable):
    """Methods of Tensor: selecting by indices and masks, and scattering."""

    __slots__ = ()

    gather = selecting.gather
    index_select = selecting.index_select
    take = selecting.take
    take_along_dim = selecting.take_along_dim
    masked_select = selecting.masked_select
    nonzero = selecting.nonzero
    argwhere = selecting.argwhere

    scatter, scatter_ = scattering.scatter, in_place(scattering.scatter)
    scatter_add, scatter_add_ = scattering.scatter_add, in_place(scattering.scatter_add)
    scatter_reduce, scatter_reduce_ = scattering.scatter_reduce, in_place(scattering.scatter_reduce)
    index_add, index_add_ = putting.index_add, in_place(putting.index_add)
    index_copy, index_copy_ = putting.index_copy, in_place(putting.index_copy)
    put, put_ = putting.put, in_place(putting.put)
    index_fill, index_fill_ = putting.index_fill, in_place(putting.index_fill, repeated=True)
    index_put, index_put_ = putting.index_put, in_place(putting.index_put)
    masked_fill, masked_fill_ = masking.masked_fill, in_place(masking.masked_fill, repeated=True)
    masked_scatter, masked_scatter_ = masking.masked_scatter, in_place(masking.masked_scatter)
