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
from minicnn.operators.arithmetic import add, float_power, ldexp, mul, rsub, sub, true_divide
from minicnn.operators.arithmetic import mul as multiply
from minicnn.operators.arithmetic import power as pow
from minicnn.operators.arithmetic import sub as subtract
from minicnn.operators.choosing import clamp, clamp_max, clamp_min, fmax, fmin, maximum, minimum, where
from minicnn.operators.choosing import clamp as clip
from minicnn.operators.comparison import (
    allclose,
    eq,
    equal,
    ge,
    gt,
    isclose,
    isfinite,
    isinf,
    isnan,
    isneginf,
    isposinf,
    isreal,
    le,
    lt,
    ne,
    signbit,
)
from minicnn.operators.comparison import ge as greater_equal
from minicnn.operators.comparison import gt as greater
from minicnn.operators.comparison import le as less_equal
from minicnn.operators.comparison import lt as less
from minicnn.operators.comparison import ne as not_equal
from minicnn.operators.division import div, floor_divide, fmod, gcd, lcm, remainder
from minicnn.operators.division import div as divide
from minicnn.operators.elementwise import (
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atanh,
    cos,
    cosh,
    deg2rad,
    exp,
    exp2,
    expm1,
    log,
    log1p,
    log2,
    log10,
    rad2deg,
    reciprocal,
    rsqrt,
    sin,
    sinc,
    sinh,
    sqrt,
    tan,
)
from minicnn.operators.elementwise import acos as arccos
from minicnn.operators.elementwise import acosh as arccosh
from minicnn.operators.elementwise import asin as arcsin
from minicnn.operators.elementwise import asinh as arcsinh
from minicnn.operators.elementwise import atan as arctan
from minicnn.operators.elementwise import atanh as arctanh
from minicnn.operators.indexing import unbind
from minicnn.operators.joining import cat, stack
from minicnn.operators.logic import (
    bitwise_and,
    bitwise_left_shift,
    bitwise_not,
    bitwise_or,
    bitwise_right_shift,
    bitwise_xor,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
)
from minicnn.operators.matmul import matmul
from minicnn.operators.mixing import addcdiv, addcmul, lerp
from minicnn.operators.pairs import atan2, copysign, heaviside, hypot, logaddexp, logaddexp2, nextafter
from minicnn.operators.pairs import atan2 as arctan2
from minicnn.operators.reduction import argmax, argmin, mean, std, sum, var
from minicnn.operators.reduction import maximum as max
from minicnn.operators.reduction import minimum as min
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
from minicnn.operators.rounding import (
    absolute,
    ceil,
    floor,
    frac,
    nan_to_num,
    negative,
    positive,
    round,
    sgn,
    sign,
    square,
    trunc,
)
from minicnn.operators.rounding import absolute as abs
from minicnn.operators.rounding import negative as neg
from minicnn.operators.rounding import trunc as fix
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
from minicnn.operators.special import digamma, erf, erfc, erfinv, i0, lgamma, logit, polygamma, xlogy
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
from minicnn import accelerator, amp, backends, cuda, nn, optim, utils  # isort: skip  (they stand on the names above)
from minicnn import backends, cuda, nn, optim, special, utils  # isort: skip  (they stand on the names above)

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
    "absolute",
    "acos",
    "acosh",
    "add",
    "addcdiv",
    "addcmul",
    "allclose",
    "amax",
    "amin",
    "aminmax",
    "amp",
    "any",
    "arange",
    "are_deterministic_algorithms_enabled",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
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
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "autograd",
    "backends",
    "block_diag",
    "bitwise_and",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "bool",
    "broadcast_shapes",
    "broadcast_tensors",
    "broadcast_to",
    "cartesian_prod",
    "cat",
    "ceil",
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
    "clamp_max",
    "clamp_min",
    "clip",
    "contiguous_format",
    "copysign",
    "cos",
    "cosh",
    "cuda",
    "deg2rad",
    "device",
    "digamma",
    "div",
    "divide",
    "double",
    "dsplit",
    "dstack",
    "empty",
    "empty_like",
    "enable_grad",
    "eq",
    "equal",
    "erf",
    "erfc",
    "erfinv",
    "exp",
    "exp2",
    "expm1",
    "fix",
    "flatten",
    "flip",
    "fliplr",
    "flipud",
    "float",
    "float16",
    "float32",
    "float64",
    "float_power",
    "floor",
    "floor_divide",
    "fmax",
    "fmin",
    "fmod",
    "frac",
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
    "gcd",
    "ge",
    "get_num_threads",
    "greater",
    "greater_equal",
    "gt",
    "heaviside",
    "hypot",
    "i0",
    "int",
    "int8",
    "int16",
    "int32",
    "int64",
    "is_deterministic_algorithms_warn_only_enabled",
    "is_grad_enabled",
    "kthvalue",
    "linalg",
    "isclose",
    "isfinite",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "isreal",
    "lcm",
    "ldexp",
    "le",
    "lerp",
    "less",
    "less_equal",
    "lgamma",
    "load",
    "log",
    "log1p",
    "log2",
    "log10",
    "log_softmax",
    "logcumsumexp",
    "logsumexp",
    "logaddexp",
    "logaddexp2",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "logit",
    "long",
    "lt",
    "manual_seed",
    "masked_fill",
    "masked_scatter",
    "masked_select",
    "matmul",
    "max",
    "maximum",
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
    "minimum",
    "mul",
    "multiply",
    "nan_to_num",
    "ne",
    "neg",
    "negative",
    "nextafter",
    "nn",
    "no_grad",
    "nonzero",
    "not_equal",
    "ones",
    "ones_like",
    "optim",
    "permute",
    "polygamma",
    "positive",
    "pow",
    "preserve_format",
    "prod",
    "quantile",
    "rad2deg",
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
    "remainder",
    "reshape",
    "round",
    "rsqrt",
    "rsub",
    "save",
    "scatter",
    "scatter_add",
    "scatter_reduce",
    "select",
    "set_float32_matmul_precision",
    "set_grad_enabled",
    "set_num_interop_threads",
    "set_num_threads",
    "sgn",
    "sigmoid",
    "sign",
    "signbit",
    "sin",
    "sinc",
    "sinh",
    "softmax",
    "sort",
    "split",
    "split_with_sizes",
    "special",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "std",
    "std_mean",
    "sub",
    "subtract",
    "sum",
    "swapaxes",
    "swapdims",
    "t",
    "take",
    "take_along_dim",
    "tan",
    "tanh",
    "tensor",
    "tensor_split",
    "tile",
    "topk",
    "transpose",
    "true_divide",
    "trunc",
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
    "xlogy",
    "zeros",
    "zeros_like",
]

__getattr__ = missing.getattr_of(__name__, lambda: __all__)
serve_own_paths()
