"""Run by test_guarded in a process of its own: operations on arrays whose memory touches pages that nobody may touch.

`python guarded.py before|behind SEED SECONDS`: NumPy is given an allocator that puts each array at the beginning of its
pages, or at their end, with a forbidden page on either side: one number read or written outside ends the process.
Then random programs run, in float32 and float64, and layers whose channels fill vectors, or nearly.
"""

import ctypes
import mmap
import os
import sys
import time

import numpy as np
from programs import program_of
from programs.running import run

import minicnn
import minicnn.nn.functional as F
from minicnn.kernels import memory

PAGE = mmap.PAGESIZE
RUNGS = ("tiled", "packed", "registers")
"""Algorithms with kernels of their own that nothing else asks for."""
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
sizes: dict[int, tuple[int, int, int]] = {}
counted = 0


def take(size: int, behind: bool) -> int:
    """The address of `size` bytes of zeros between two forbidden pages, touching the one behind or the one before."""
    global counted
    counted += 1
    pages = max(-(-size // PAGE), 1) * PAGE
    begin = libc.mmap(
        None, pages + 2 * PAGE, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0
    )
    assert begin not in (None, 2**64 - 1), os.strerror(ctypes.get_errno())
    libc.mprotect(begin, PAGE, 0)
    libc.mprotect(begin + PAGE + pages, PAGE, 0)
    address = begin + PAGE + (pages - size if behind else 0)
    sizes[address] = begin, pages + 2 * PAGE, size
    return address


def give_back(address: int) -> None:
    begin, length, _ = sizes.pop(address)
    libc.munmap(begin, length)


Malloc = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
Calloc = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t)
Realloc = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
Free = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)


class Handler(ctypes.Structure):
    """NumPy's `PyDataMem_Handler` (numpy/ndarraytypes.h)."""

    _fields_ = (
        ("name", ctypes.c_char * 127),
        ("version", ctypes.c_uint8),
        ("context", ctypes.c_void_p),
        ("malloc", Malloc),
        ("calloc", Calloc),
        ("realloc", Realloc),
        ("free", Free),
    )


def guard(behind: bool) -> Handler:
    """Have NumPy take the memory of its arrays from `take` from now on."""

    def realloc(_: int, address: int, size: int) -> int:
        new = take(size, behind)
        if address:
            ctypes.memmove(new, address, min(size, sizes[address][2]))
            give_back(address)
        return new

    handler = Handler(
        b"guarded",
        1,
        None,
        Malloc(lambda _, size: take(size, behind)),
        Calloc(lambda _, count, size: take(count * size, behind)),
        Realloc(realloc),
        Free(lambda _, address, size: give_back(address) if address else None),
    )
    new_capsule = ctypes.pythonapi.PyCapsule_New
    new_capsule.restype, new_capsule.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    table = ctypes.cast(pointer(np._core._multiarray_umath._ARRAY_API, None), ctypes.POINTER(ctypes.c_void_p))
    set_handler = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(table[304])  # PyDataMem_SetHandler
    set_handler(new_capsule(ctypes.addressof(handler), b"mem_handler", None))
    return handler


def exact(size: int) -> memory._Buffer:
    """A buffer of just this size, in place of one that was used before, rounded up and moved to a cache line."""
    return np.empty(size, np.uint8).view(memory._Buffer)


def array(rng: np.random.Generator, *shape: int, last: bool = True) -> np.ndarray:
    """Random float32 numbers (N, C, H, W), channels last in memory or row-major."""
    if not last:
        return rng.standard_normal(shape, np.float32)
    return rng.standard_normal((shape[0], *shape[2:], shape[1]), np.float32).transpose(0, 3, 1, 2)


def layers(rng: np.random.Generator) -> None:
    """One forward and backward of each kind of layer, of random sizes."""
    N, C, H, W, k = (int(n) for n in rng.integers(1, [4, 70, 14, 14, 6]))
    last, stride = bool(rng.integers(2)), int(rng.integers(1, 3))
    x = minicnn.from_numpy(array(rng, N, C, H, W, last=last)).requires_grad_()
    groups = int(rng.choice([1, 1, C, next(g for g in (4, 3, 2, 1) if C % g == 0)]))
    O = groups * int(rng.integers(1, 3 if groups > 4 else 40))
    k = min(k, H + 2 * (k // 2), W + 2 * (k // 2))
    weight = minicnn.from_numpy(array(rng, O, C // groups, k, k, last=last)).requires_grad_()
    outputs = [
        F.conv2d(x, weight, None, stride, k // 2, groups=groups),
        *(F.conv2d(x, weight, None, stride, k // 2, groups=groups, algorithm=rung) for rung in RUNGS),
        F.conv_transpose2d(x, minicnn.from_numpy(array(rng, C, 3, k, k)).requires_grad_(), stride=stride),
        F.relu(x), F.gelu(x), F.softmax(x, 1), F.log_softmax(x, -1), F.layer_norm(x, (W,)), F.rms_norm(x, (H, W)),
        F.avg_pool2d(x, min(2, H, W), ceil_mode=True), F.max_pool2d(x, min(3, H, W), 1), F.adaptive_avg_pool2d(x, 3),
        F.interpolate(x, scale_factor=2, mode="bilinear"), F.pad(x, (1, 2, 0, 1)), minicnn.cat([x, x], 1),
        x.sum((0, 2)),
        F.linear(x, minicnn.from_numpy(array(rng, O, W, 1, 1)[..., 0, 0].copy())), x.transpose(0, 1).contiguous(),
        F.dropout(x), F.cross_entropy(x[:, :, 0, 0], minicnn.zeros(N, dtype=minicnn.int64)),
    ]  # fmt: skip
    if N * H * W > 1:
        outputs.append(F.batch_norm(x, None, None, training=True))
    if H * W > 1:
        outputs += [F.group_norm(x, 1), F.instance_norm(x)]
    for y in outputs:
        y.backward(minicnn.from_numpy(rng.standard_normal(tuple(y.shape)).astype(np.float32)), retain_graph=True)


def main() -> None:
    where, seed, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    kept = guard(where == "behind")
    memory.SMALL_BYTES = 0
    memory._shelf.take = exact
    memory._shelf.give = lambda buffer: None
    if sys.argv[4:] == ["trespass"]:  # the test that this test can fail
        x = np.zeros(5, np.float32)
        place = x.ctypes.data + (20 if where == "behind" else -1)
        print(ctypes.c_char.from_address(place).value)
    rng, end, programs, rounds = np.random.default_rng(seed), time.monotonic() + seconds, 0, 0
    while time.monotonic() < end:
        layers(rng)
        rounds += 1
        for dtype in (np.float32, np.float64):
            run(program_of((seed << 20) + programs).source, minicnn, dtype)
        programs += 1
    print(
        f"{programs} programs, {rounds} rounds of layers, {counted} arrays of NumPy's, {kept.name.decode()}", flush=True
    )
    os._exit(0)  # the interpreter would free arrays after the allocator


if __name__ == "__main__":
    main()
