"""minicnn: convolutional networks from scratch in NumPy and Numba, shaped like PyTorch, proven against it."""

from minicnn import autograd
from minicnn.amp import autocast
from minicnn.attributes import Size, device, memory_format
from minicnn.autograd import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from minicnn.compat import missing
from minicnn.compat.modules import serve_own_paths
from minicnn.creation import (
    arange,
    as_tensor,
    empty,
    empty_like,
    from_numpy,
    full,
    full_like,
    ones,
    ones_like,
    rand,
    rand_like,
    randint,
    randn,
    randn_like,
    randperm,
    tensor,
    zeros,
    zeros_like,
)
from minicnn.dtypes import bool_ as bool
from minicnn.dtypes import float16, float32, float64, int8, int16, int32, int64, uint8
from minicnn.dtypes import float32 as float
from minicnn.dtypes import float64 as double
from minicnn.dtypes import int32 as int
from minicnn.dtypes import int64 as long
from minicnn.operators.activation import log_softmax, relu, sigmoid, softmax, tanh
from minicnn.operators.axes import adjoint, moveaxis, movedim, ravel, swapaxes, swapdims, t, unflatten
from minicnn.operators.broadcasting import (
    block_diag,
    broadcast_shapes,
    broadcast_tensors,
    broadcast_to,
    cartesian_prod,
    combinations,
    meshgrid,
)
from minicnn.operators.comparison import allclose, equal
from minicnn.operators.elementwise import absolute as abs
from minicnn.operators.elementwise import clamp, exp, log, reciprocal, sqrt, where
from minicnn.operators.extremes import amax, amin, aminmax, argmax, argmin
from minicnn.operators.extremes import maximum as max
from minicnn.operators.extremes import minimum as min
from minicnn.operators.indexing import unbind
from minicnn.operators.joining import cat, stack
from minicnn.operators.joining import cat as concat
from minicnn.operators.joining import cat as concatenate
from minicnn.operators.matmul import matmul
from minicnn.operators.norms import dist, norm, renorm
from minicnn.operators.reduction import logsumexp, mean, prod, std, sum, var
from minicnn.operators.repeating import repeat_interleave, tile
from minicnn.operators.reshaping import resize_as_
from minicnn.operators.scans import cummax, cummin, cumprod, cumsum, diff, logcumsumexp
from minicnn.operators.scattering import (
    index_add,
    index_copy,
    index_fill,
    index_put,
    masked_fill,
    masked_scatter,
    scatter,
    scatter_add,
    scatter_reduce,
)
from minicnn.operators.selecting import argwhere, gather, index_select, masked_select, nonzero, take, take_along_dim
from minicnn.operators.shape import flatten, permute, reshape, squeeze, transpose, unsqueeze
from minicnn.operators.sorting import (
    argsort,
    kthvalue,
    median,
    mode,
    msort,
    nanmedian,
    nanquantile,
    quantile,
    sort,
    topk,
)
from minicnn.operators.splitting import (
    chunk,
    dsplit,
    hsplit,
    narrow,
    narrow_copy,
    select,
    split,
    split_with_sizes,
    tensor_split,
    vsplit,
)
from minicnn.operators.stacking import (
    atleast_1d,
    atleast_2d,
    atleast_3d,
    column_stack,
    dstack,
    hstack,
    row_stack,
    vstack,
)
from minicnn.operators.statistics import corrcoef, cov, nanmean, nansum, std_mean, var_mean
from minicnn.operators.strided import as_strided
from minicnn.operators.truth import all_of as all
from minicnn.operators.truth import any_of as any
from minicnn.operators.truth import count_nonzero
from minicnn.operators.turning import flip, fliplr, flipud, roll, rot90
from minicnn.random import Generator, manual_seed
from minicnn.serialization import load, save
from minicnn.switches import (
    are_deterministic_algorithms_enabled,
    compile,
    get_float32_matmul_precision,
    get_num_interop_threads,
    is_deterministic_algorithms_warn_only_enabled,
    set_float32_matmul_precision,
    set_num_interop_threads,
    use_deterministic_algorithms,
)
from minicnn.tensor import Tensor
from minicnn.threads import get_num_threads, set_num_threads
from minicnn.version import __version__

from minicnn import accelerator, amp, backends, cuda, nn, optim, utils, version  # isort: skip  (they stand on the names above)
from minicnn import linalg  # isort: skip  (they stand on the names above)

contiguous_format = memory_format.contiguous_format
preserve_format = memory_format.preserve_format
channels_last = memory_format.channels_last


__all__ = [
    "Generator",
    "Size",
    "Tensor",
    "__version__",
    "abs",
    "accelerator",
    "adjoint",
    "all",
    "allclose",
    "amax",
    "amin",
    "aminmax",
    "amp",
    "any",
    "arange",
    "are_deterministic_algorithms_enabled",
    "argmax",
    "argmin",
    "argsort",
    "argwhere",
    "as_strided",
    "as_tensor",
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "autocast",
    "autograd",
    "backends",
    "block_diag",
    "bool",
    "broadcast_shapes",
    "broadcast_tensors",
    "broadcast_to",
    "cartesian_prod",
    "cat",
    "channels_last",
    "chunk",
    "clamp",
    "column_stack",
    "combinations",
    "compile",
    "concat",
    "concatenate",
    "contiguous_format",
    "corrcoef",
    "count_nonzero",
    "cov",
    "cuda",
    "cummax",
    "cummin",
    "cumprod",
    "cumsum",
    "device",
    "diff",
    "dist",
    "double",
    "dsplit",
    "dstack",
    "empty",
    "empty_like",
    "enable_grad",
    "equal",
    "exp",
    "flatten",
    "flip",
    "fliplr",
    "flipud",
    "float",
    "float16",
    "float32",
    "float64",
    "from_numpy",
    "full",
    "full_like",
    "gather",
    "get_float32_matmul_precision",
    "get_num_interop_threads",
    "get_num_threads",
    "hsplit",
    "hstack",
    "index_add",
    "index_copy",
    "index_fill",
    "index_put",
    "index_select",
    "int",
    "int8",
    "int16",
    "int32",
    "int64",
    "is_deterministic_algorithms_warn_only_enabled",
    "is_grad_enabled",
    "kthvalue",
    "linalg",
    "load",
    "log",
    "log_softmax",
    "logcumsumexp",
    "logsumexp",
    "long",
    "manual_seed",
    "masked_fill",
    "masked_scatter",
    "masked_select",
    "matmul",
    "max",
    "mean",
    "median",
    "memory_format",
    "meshgrid",
    "min",
    "mode",
    "moveaxis",
    "movedim",
    "msort",
    "nanmean",
    "nanmedian",
    "nanquantile",
    "nansum",
    "narrow",
    "narrow_copy",
    "nn",
    "no_grad",
    "nonzero",
    "norm",
    "ones",
    "ones_like",
    "optim",
    "permute",
    "preserve_format",
    "prod",
    "quantile",
    "rand",
    "rand_like",
    "randint",
    "randn",
    "randn_like",
    "randperm",
    "ravel",
    "reciprocal",
    "relu",
    "renorm",
    "repeat_interleave",
    "reshape",
    "resize_as_",
    "roll",
    "rot90",
    "row_stack",
    "save",
    "scatter",
    "scatter_add",
    "scatter_reduce",
    "select",
    "set_float32_matmul_precision",
    "set_grad_enabled",
    "set_num_interop_threads",
    "set_num_threads",
    "sigmoid",
    "softmax",
    "sort",
    "split",
    "split_with_sizes",
    "sqrt",
    "squeeze",
    "stack",
    "std",
    "std_mean",
    "sum",
    "swapaxes",
    "swapdims",
    "t",
    "take",
    "take_along_dim",
    "tanh",
    "tensor",
    "tensor_split",
    "tile",
    "topk",
    "transpose",
    "uint8",
    "unbind",
    "unflatten",
    "unsqueeze",
    "use_deterministic_algorithms",
    "utils",
    "var",
    "var_mean",
    "version",
    "vsplit",
    "vstack",
    "where",
    "zeros",
    "zeros_like",
]

__getattr__ = missing.getattr_of(__name__, lambda: __all__)
serve_own_paths()
