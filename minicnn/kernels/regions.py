"""Where every parallel region is entered: on all threads, or serially where that isn't possible.

Numba's kernels call `numba_parallel_for` with the loop's body, which divides it among threads. Two situations don't
allow that, and Numba ends the process in both:

- the process is the child of a fork: OpenMP's threads stayed with the parent;
- the threading layer is `workqueue`, and another Python thread is in a region already.

So kernels are linked to a function of ours of that name, which then calls the loop's body for the whole range itself,
and otherwise hands over to Numba's: two loads and two branches more.
"""

import ctypes
import functools
import os
from typing import Any

import llvmlite.binding as llvm
import numba
from numba.np.ufunc import parallel

from minicnn.kernels import threads

_CODE = """
@hand_over = global i64 0
@one_at_a_time = global i64 0
@busy = global i64 0

define void @enter(ptr %body, ptr %args, ptr %sizes, ptr %steps, ptr %data, i64 %inner, i64 %arrays, i64 %threads) {
  %address = load volatile i64, ptr @hand_over
  %alone = icmp eq i64 %address, 0
  br i1 %alone, label %serial, label %ask

ask:
  %guarded = load volatile i64, ptr @one_at_a_time
  %free = icmp eq i64 %guarded, 0
  br i1 %free, label %parallel, label %try

try:
  %before = atomicrmw xchg ptr @busy, i64 1 seq_cst
  %mine = icmp eq i64 %before, 0
  br i1 %mine, label %locked, label %serial

locked:
  %target = inttoptr i64 %address to ptr
  call void %target(ptr %body, ptr %args, ptr %sizes, ptr %steps, ptr %data, i64 %inner, i64 %arrays, i64 %threads)
  store atomic i64 0, ptr @busy seq_cst, align 8
  ret void

parallel:
  %function = inttoptr i64 %address to ptr
  call void %function(ptr %body, ptr %args, ptr %sizes, ptr %steps, ptr %data, i64 %inner, i64 %arrays, i64 %threads)
  ret void

serial:
  tail call void %body(ptr %args, ptr %sizes, ptr %steps, ptr %data)
  ret void
}
"""


@functools.cache
def serve() -> Any:
    """Link kernels that are compiled or loaded from now on to `enter`; returns what must stay alive for it."""
    parallel._launch_threads()
    theirs = llvm.address_of_symbol("numba_parallel_for")
    machine = llvm.Target.from_default_triple().create_target_machine(jit=True)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(_CODE), machine)
    engine.finalize_object()
    hand_over, one_at_a_time, busy = (
        ctypes.c_int64.from_address(engine.get_global_value_address(name))
        for name in ("hand_over", "one_at_a_time", "busy")
    )
    hand_over.value = theirs
    one_at_a_time.value = numba.threading_layer() == "workqueue"
    llvm.add_symbol("numba_parallel_for", engine.get_function_address("enter"))

    def alone() -> None:
        hand_over.value = busy.value = 0
        threads.divide_for_one()

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=alone)
    return engine
