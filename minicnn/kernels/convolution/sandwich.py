"""Y = L X Lᵀ for a small constant matrix L and many X at once, one in every lane.

Winograd's transforms all have this form. X is a grid of cells, each with many channels that lie side by side; a vector
holds the same cell of as many X as it has lanes. As LLVM instructions: load the vectors of X, take the sums that L
prescribes down the columns, then along the rows, store. L's zeros cost nothing, its ones no multiplication.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from minicnn.kernels.llvm import Emitter, integer


def _combine(emit: Emitter, row: np.ndarray, vectors: list) -> Any:
    """Σ row[k] · vectors[k]"""
    builder, total = emit.builder, None
    for factor, vector in zip(row.tolist(), vectors, strict=True):
        if factor == 0:
            continue
        if total is None and factor == 1:
            total = vector
        elif total is None:
            total = builder.fmul(vector, ir.Constant(emit.vector, [factor] * emit.lanes))
        elif abs(factor) == 1:
            total = (builder.fadd if factor > 0 else builder.fsub)(total, vector)
        else:
            total = builder.call(emit.fma, [vector, ir.Constant(emit.vector, [factor] * emit.lanes), total])
    return total


def sandwich(L: np.ndarray) -> Any:
    """A function for kernels that computes L X Lᵀ.

    Args:
        L: (R, T), constant.

    Returns: `product(x, x0, xh, xw, channels, y, y0, yh, yw, stored, add)`, with

        y[y0 + i·yh + j·yw + c] = Σ over p, q of  L[i, p] · L[j, q] · x[x0 + p·xh + q·xw + c]  + add[c]

    for c < stored; x counts as 0 from `channels` on, and add as 0 where it is empty.
    """
    R, T = L.shape

    @intrinsic
    def product(typing_context, x, x0, xh, xw, channels, y, y0, yh, yw, stored, add):
        n = types.intp

        def codegen(context, builder, signature, args):
            emit = Emitter(context, builder, signature.args[0].dtype)
            _, x0, xh, xw, channels, _, y0, yh, yw, stored, _ = args
            source, target = emit.data(signature.args[0], args[0]), emit.data(signature.args[5], args[5])
            sums = cgutils.create_struct_proxy(signature.args[10])(context, builder, args[10])
            added = builder.select(builder.icmp_signed(">", sums.nitems, ir.Constant(stored.type, 0)), channels,
                                   ir.Constant(stored.type, 0))  # fmt: skip
            lanes = ir.Constant(stored.type, emit.lanes)
            with cgutils.for_range_slice(builder, ir.Constant(stored.type, 0), stored, lanes, stored.type) as (c, _):
                from_c, to_c = emit.at(source, builder.add(x0, c)), emit.at(target, builder.add(y0, c))
                present = emit.mask(builder.sub(channels, c))

                def cell(p: int, q: int) -> Any:
                    offset = builder.add(builder.mul(xh, integer(p)), builder.mul(xw, integer(q)))
                    return emit.load(emit.at(from_c, offset), present)

                columns = []
                for q in range(T):
                    column = [cell(p, q) for p in range(T)]
                    columns.append([_combine(emit, L[i], column) for i in range(R)])
                extra = emit.load(emit.at(sums.data, c), emit.mask(builder.sub(added, c)))
                wanted = emit.mask(builder.sub(stored, c))
                for i in range(R):
                    for j in range(R):
                        value = _combine(emit, L[j], [column[i] for column in columns])
                        offset = builder.add(builder.mul(yh, integer(i)), builder.mul(yw, integer(j)))
                        emit.store(builder.fadd(value, extra), emit.at(to_c, offset), wanted)
            return context.get_dummy_value()

        return types.void(x, n, n, n, n, y, n, n, n, n, add), codegen

    return product
