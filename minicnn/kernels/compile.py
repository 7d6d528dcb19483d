"""How a kernel becomes machine code: Numba's `njit` with the library's settings and the cache of `kernels.cache`."""

import functools
import importlib
import os
from collections.abc import Callable
from typing import Any

import numba
from numba import types
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler

from minicnn.kernels.cache import KernelCache

if numba.config.DISABLE_JIT:
    raise ImportError("minicnn is made of compiled kernels: unset NUMBA_DISABLE_JIT, which has Numba compile nothing")


def choose_threads() -> None:
    """Ask for OpenMP threads, which open a parallel region in 2 µs (the workqueue layer needs 130 µs).

    OpenMP's threads go on spinning after a region, for milliseconds unless told otherwise, and take the core from
    whatever runs next. Told so while its library loads, they fall asleep after about a millisecond: longer than the gap
    between two kernels, which waking them would prolong. What the user has set in the environment stays.
    """
    if "NUMBA_THREADING_LAYER" in os.environ or "NUMBA_THREADING_LAYER_PRIORITY" in os.environ:
        return
    numba.config.THREADING_LAYER_PRIORITY = ["omp", "tbb", "workqueue"]
    if "OMP_WAIT_POLICY" in os.environ or "GOMP_SPINCOUNT" in os.environ:
        return
    os.environ["GOMP_SPINCOUNT"] = "20000"
    try:
        importlib.import_module("numba.np.ufunc.omppool")
    except ImportError:  # no OpenMP on this machine; Numba takes the next layer
        pass
    finally:
        del os.environ["GOMP_SPINCOUNT"]


choose_threads()


def kernel(function: Callable | None = None, **options: Any) -> Any:
    """Compile `function` at its first call, for the types of its arguments.

    Args:
        function: a function on NumPy arrays and scalars, in Numba's subset of Python.
        options: further options of `numba.njit`.

    Returns: the compiled function's dispatcher, which other kernels may call too.
    """
    if function is None:
        return functools.partial(kernel, **options)
    dispatcher = _compiled(function, options)
    dispatcher._cache = KernelCache(function)
    return dispatcher


def part(function: Callable | None = None, allocates: bool = False, **options: Any) -> Any:
    """A function that becomes part of the kernels that call it, and cannot be called from Python.

    Numba makes machine code of every function that it compiles, and once more of it in every function that calls it. A
    part is optimised and linked into its kernels, and gets none of its own. It is not left to them to optimise it too:
    that compiled sooner, but Winograd's and some depthwise convolutions ran at 0.8 of their speed.

    Args:
        function, options: as `kernel` takes them.
        allocates: whether it makes arrays, be it only to copy one slice to another. Elsewhere nobody counts who holds
            an array: its caller does. Counting took a fifth of the time of a gradient that was added up row by row.
    """
    if function is None:
        return functools.partial(part, allocates=allocates, **options)
    dispatcher = _compiled(function, {**options, "_nrt": allocates, "pipeline_class": _PartCompiler})
    dispatcher._insert = lambda *overload: None  # nothing that Python could call
    dispatcher._compile_for_args = functools.partial(_refuse, function.__name__)
    return dispatcher


def _compiled(function: Callable, options: dict[str, Any]) -> Any:
    """A dispatcher with the library's settings, to which a constant is any number of its type."""
    dispatcher = numba.njit(nogil=True, error_model="numpy", **options)(function)
    template = dispatcher.get_call_template
    dispatcher.get_call_template = lambda args, kws: template(tuple(map(types.unliteral, args)), kws)
    return dispatcher


def _refuse(name: str, *arguments: Any, **keywords: Any) -> None:
    raise TypeError(f"{name} is a part of kernels, which alone can call it")


class _PartLibrary(JITCodeLibrary):
    """Code that is linked into a kernel; it is optimised before, but not made executable."""

    def _finalize_final_module(self) -> None:
        self._finalized = True


class _PartCompiler(Compiler):
    def define_pipelines(self) -> Any:
        flags = self.state.flags
        flags.no_compile = flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
        self.state.library = _PartLibrary(self.state.targetctx.codegen(), self.state.func_id.func_qualname)
        return super().define_pipelines()

    def _compile_core(self) -> Any:
        result = super()._compile_core()._replace(entry_point=object())  # by which kernels find it
        self.state.targetctx.insert_user_function(result.entry_point, result.fndesc, [result.library])
        return result
