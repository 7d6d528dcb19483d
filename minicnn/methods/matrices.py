"""Methods that multiply, or that take matrices apart."""

from minicnn.autograd import Variable
from minicnn.methods.in_place import in_place
from minicnn.operators import diagonals, inverses, products


class Matrices(Variable):
    """The methods of Tensor for vectors and matrices."""

    __slots__ = ()

    mm = products.mm
    bmm = products.bmm
    mv = products.mv
    dot = products.dot
    vdot = products.vdot
    inner = products.inner
    outer = ger = products.outer
    kron = products.kron
    cross = products.cross
    addmm, addmm_ = products.addmm, in_place(products.addmm)
    addmv, addmv_ = products.addmv, in_place(products.addmv)
    addr, addr_ = products.addr, in_place(products.addr)
    addbmm = products.addbmm
    baddbmm, baddbmm_ = products.baddbmm, in_place(products.baddbmm)
    trace = diagonals.trace
    diag = diagonals.diag
    diagonal = diagonals.diagonal
    diag_embed = diagonals.diag_embed
    diagflat = diagonals.diagflat
    fill_diagonal_ = in_place(diagonals.fill_diagonal, "fill_diagonal_", repeated=True)
    tril, tril_ = diagonals.tril, in_place(diagonals.tril)
    triu, triu_ = diagonals.triu, in_place(diagonals.triu)
    det = inverses.det
    inverse = inverses.inv
    slogdet = inverses.slogdet
