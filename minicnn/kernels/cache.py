"""Where machine code is kept.

Numba's cache asks only whether the file of the outermost function changed; a kernel that inlines a function of another
file would go on running stale code. Here the name of a cached file contains a hash of *all* kernel sources, of the
signature, of the machine and of Numba's settings, so stale code cannot be found; and because each compiled signature is
one file, written aside and renamed into place, any number of processes may compile at once. Every file begins with a
checksum of its name and its content: damaged and renamed ones are compiled again.
"""

import contextlib
import functools
import hashlib
import os
import pickle
import stat
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import CompileResultCacheImpl, _Cache
from numba.core.serialize import dumps
from platformdirs import user_cache_path

from minicnn.kernels import regions

SETTINGS = ("OPT", "BOUNDSCHECK", "DEBUGINFO_DEFAULT", "LOOP_VECTORIZE", "SLP_VECTORIZE", "ENABLE_AVX")
"""Numba's settings, by environment variables, that machine code depends on."""


@functools.cache
def source_hash() -> str:
    """SHA-256 of every kernel source, of the versions that compile them and of their settings."""
    settings = [str(getattr(numba.config, name, None)) for name in SETTINGS]
    digest = hashlib.sha256(f"{numba.__version__} {sys.version} {settings}".encode())
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


@functools.cache
def wanted_folder() -> Path:
    """Where machine code belongs: `$MINICNN_CACHE_DIR`, else the user's cache. It may be read-only, as in an image."""
    return Path(os.environ.get("MINICNN_CACHE_DIR") or user_cache_path("minicnn", appauthor=False)).absolute()


@functools.cache
def cache_directory() -> Path:
    """Where machine code is written: the wanted folder, else one of the user's own among the temporary ones."""
    wanted = wanted_folder()
    try:
        wanted.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=wanted).close()
    except OSError as error:
        fallback = _temporary_folder()
        warnings.warn(
            f"cannot write compiled kernels to {wanted} ({error.strerror}); new ones go to {fallback}. Set "
            "MINICNN_CACHE_DIR to a writable folder.",
            stacklevel=2,
        )
        return fallback
    return wanted


def _temporary_folder() -> Path:
    """The user's folder among the temporary ones, where it is nobody else's to write to; else a new one."""
    user = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir(), f"minicnn-{user}")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == user and not found.st_mode & 0o077:
            return folder
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix="minicnn-"))


_awaiting: list[Callable[[], None]] = []


@contextlib.contextmanager
def at_compilation(call: Callable[[], None]) -> Iterator[None]:
    """Within this, have `call` called before the first kernel is compiled that isn't kept yet."""
    _awaiting.append(call)
    try:
        yield
    finally:
        if call in _awaiting:
            _awaiting.remove(call)


def _announce_compilation() -> None:
    """Say once a process that the wait is a compilation, and call those who wait for it."""
    _say_once()
    while _awaiting:
        _awaiting.pop()()


@functools.cache
def _say_once() -> None:
    print(
        f"minicnn: compiling kernels for this machine (once; kept in {cache_directory()})",
        file=sys.stderr,
        flush=True,
    )


_told: list[str] = []


def _say_not_kept(why: str) -> None:
    """Say once a process that kernels are not kept."""
    if not _told:
        _told.append(why)
        warnings.warn(f"could not keep compiled kernels in {cache_directory()}: {why}", stacklevel=3)


def _folders() -> Iterator[Path]:
    """Where a kernel may lie; a folder to write to is looked for only where the wanted one hasn't it."""
    yield wanted_folder()
    if cache_directory() != wanted_folder():
        yield cache_directory()


def _checksum(name: str, payload: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\0" + payload).digest()


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

    def _name(self, signature: Any, codegen: Any) -> str:
        closure = _closure(self._function)
        key = repr((source_hash(), self._function.__module__, self._function.__qualname__))
        digest = hashlib.sha256(
            f"{key} {signature} {codegen.magic_tuple()}".encode()
            + self._function.__code__.co_code
            + (dumps(closure) if closure else b"")
        )
        return f"{self._function.__name__}-{digest.hexdigest()[:32]}.kernel"

    def load_overload(self, signature: Any, target_context: Any) -> Any:
        regions.serve()
        target_context.refresh()
        name = self._name(signature, target_context.codegen())
        for folder in _folders():
            try:
                content = (folder / name).read_bytes()
            except OSError:
                continue
            checksum, payload = content[:32], content[32:]
            if _checksum(name, payload) == checksum:  # otherwise damaged, or another kernel's
                return CompileResultCacheImpl.rebuild(None, target_context, pickle.loads(payload))
        _announce_compilation()
        return None

    def save_overload(self, signature: Any, data: Any) -> None:
        name, payload = self._name(signature, data.codegen), dumps(data._reduce())
        path = cache_directory() / name
        temporary = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)  # it may have been removed meanwhile
            handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-")
            with os.fdopen(handle, "wb") as file:
                file.write(_checksum(name, payload) + payload)
            os.replace(temporary, path)
        except OSError as error:  # a full disk costs the cache, not the computation
            if temporary:
                Path(temporary).unlink(missing_ok=True)
            _say_not_kept(str(error))

    def enable(self) -> None:
        self._enabled = True

    def disable(self) -> None:
        self._enabled = False

    def flush(self) -> None:
        for path in cache_directory().glob(f"{self._function.__name__}-*.kernel"):
            path.unlink(missing_ok=True)
