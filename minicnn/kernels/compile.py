"""How a kernel becomes machine code, and where that code is kept.

`@kernel` is Numba's `njit` with the library's settings and a disk cache of our own. Numba's cache asks
only whether the file of the outermost function changed; a kernel that inlines a function of another file
would go on running stale code. Here the name of a cached file contains a hash of *all* kernel sources, of
the signature and of the machine, so stale code cannot be found; and because each compiled signature is one
file, written aside and renamed into place, any number of processes may compile at once.
"""

import functools
import hashlib
import importlib
import os
import pickle
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import CompileResultCacheImpl, _Cache
from numba.core.serialize import dumps
from platformdirs import user_cache_path

from minicnn.kernels import regions


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


def kernel(function: Callable | None = None, *, parallel: bool = False, **options: Any) -> Any:
    """Compile `function` at its first call, for the types of its arguments.

    Args:
        function: a function on NumPy arrays and scalars, in Numba's subset of Python.
        parallel: whether its `prange` loops run on all threads.
        options: further options of `numba.njit`.

    Returns: the compiled function's dispatcher, which other kernels may call too.
    """
    if function is None:
        return functools.partial(kernel, parallel=parallel, **options)
    dispatcher = numba.njit(parallel=parallel, nogil=True, error_model="numpy", **options)(function)
    dispatcher._cache = KernelCache(function)
    return dispatcher


@functools.cache
def source_hash() -> str:
    """SHA-256 of every kernel source and of the versions that compile them."""
    digest = hashlib.sha256(f"{numba.__version__} {sys.version}".encode())
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


@functools.cache
def cache_directory() -> Path:
    """Where machine code is kept: `$MINICNN_CACHE_DIR`, else the user's cache, else a temporary folder."""
    wanted = Path(os.environ.get("MINICNN_CACHE_DIR") or user_cache_path("minicnn", appauthor=False))
    try:
        wanted.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=wanted).close()
    except OSError as error:
        fallback = Path(tempfile.mkdtemp(prefix="minicnn-"))
        warnings.warn(
            f"cannot write compiled kernels to {wanted} ({error.strerror}); they go to {fallback} and "
            "will be compiled again next time. Set MINICNN_CACHE_DIR to a writable folder.",
            stacklevel=2,
        )
        return fallback
    return wanted


@functools.cache
def announce_compilation() -> None:
    """Say once a process that the wait is a compilation."""
    print(
        f"minicnn: compiling kernels for this machine (once; kept in {cache_directory()})",
        file=sys.stderr,
        flush=True,
    )


def _identity(value: Any) -> Any:
    """What a closure holds; a kernel by its name and its own closure, since all sources are hashed anyway."""
    function = getattr(value, "py_func", None)
    return value if function is None else (function.__module__, function.__qualname__, _closure(function))


def _closure(function: Callable) -> list[Any]:
    return [_identity(cell.cell_contents) for cell in function.__closure__ or ()]


class KernelCache(_Cache):
    """One file for each compiled signature of one function.

    Numba asks it for machine code before compiling (`load_overload`) and hands it what it
    compiled (`save_overload`).
    """

    def __init__(self, function: Callable) -> None:
        self._function = function
        self._enabled = True

    @property
    def cache_path(self) -> str:
        return str(cache_directory())

    def _path(self, signature: Any, codegen: Any) -> Path:
        closure = _closure(self._function)
        key = repr((source_hash(), self._function.__module__, self._function.__qualname__))
        digest = hashlib.sha256(
            f"{key} {signature} {codegen.magic_tuple()}".encode()
            + self._function.__code__.co_code
            + (dumps(closure) if closure else b"")
        )
        return cache_directory() / f"{self._function.__name__}-{digest.hexdigest()[:32]}.kernel"

    def load_overload(self, signature: Any, target_context: Any) -> Any:
        regions.serve()
        target_context.refresh()
        path = self._path(signature, target_context.codegen())
        try:
            content = path.read_bytes()
        except OSError:
            content = b""
        checksum, payload = content[:32], content[32:]
        if hashlib.sha256(payload).digest() != checksum:  # absent or damaged
            announce_compilation()
            return None
        return CompileResultCacheImpl.rebuild(None, target_context, pickle.loads(payload))

    def save_overload(self, signature: Any, data: Any) -> None:
        path = self._path(signature, data.codegen)
        payload = dumps(data._reduce())
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(payload).digest() + payload)
            os.replace(temporary, path)
        except OSError as error:  # a full disk costs the cache, not the computation
            Path(temporary).unlink(missing_ok=True)
            warnings.warn(f"could not keep a compiled kernel in {path}: {error}", stacklevel=2)

    def enable(self) -> None:
        self._enabled = True

    def disable(self) -> None:
        self._enabled = False

    def flush(self) -> None:
        for path in cache_directory().glob(f"{self._function.__name__}-*.kernel"):
            path.unlink(missing_ok=True)
