"""Work divided among threads.

    @tasks
    def double(r, x, y):              # task r: one row
        for c in range(x.shape[1]):
            y[r, c] = 2 * x[r, c]

    double(len(x), x, y)              # all rows, each thread as many as the others

`spans` does the same for functions of several tasks. Within a kernel `share` divides the tasks of a part, which `each`
makes of a function of one.

Numba's own `prange` serves the same purpose. It makes three functions of a loop, each of which gets copies of what the
loop calls, where this makes one: compiling took twice as long.
"""

import inspect
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from minicnn.kernels.compile import kernel, part

POINTER, WORD, FLAG = ir.IntType(8).as_pointer(), ir.IntType(64), ir.IntType(32)
BODY = ir.FunctionType(ir.VoidType(), [POINTER.as_pointer(), WORD.as_pointer(), WORD.as_pointer(), POINTER])
"""void body(places, sizes, steps, data): as many parts of the work as sizes[0], from places[0] on."""
ENTER = ir.FunctionType(ir.VoidType(), [POINTER, *BODY.args, WORD, WORD, WORD])
"""void numba_parallel_for(body, places, sizes, steps, data, inner dimensions, arrays, threads), see `regions`."""


def tasks(function: Callable) -> Any:
    """A kernel that runs function(task, …) for tasks 0 … count − 1, called with `count` in the place of `task`."""
    return spans(_looped(function))


def each(function: Callable) -> Any:
    """A part that runs function(task, …) for tasks begin … end − 1, as `share` wants it."""
    return part(_looped(function), allocates=True)


def spans(function: Callable) -> Any:
    """A kernel that runs function(begin, end, …) for parts of 0 … count, called with `count` in the place of both."""
    _, _, *names = inspect.signature(function).parameters
    given, name = ", ".join(names), function.__name__
    whole = f"def {name}(_count, {given}):\n    share(run, _count, ({given},))\n"
    return kernel(_made(whole, name, function, run=part(function, allocates=True), share=share))


def _looped(function: Callable) -> Callable:
    task, *names = inspect.signature(function).parameters
    given, name = ", ".join(names), function.__name__
    loop = f"def {name}(_begin, _end, {given}):\n    for {task} in range(_begin, _end):\n        run({task}, {given})\n"
    return _made(loop, name, function, run=part(function, allocates=True, forceinline=True))


def _made(source: str, name: str, function: Callable, **names: Any) -> Callable:
    """A function written out, in the place of `function`: of a tuple of any arguments Numba would make 2 µs more."""
    exec(source, names)
    made: Callable = names[name]
    made.__module__, made.__doc__ = function.__module__, function.__doc__
    return made


ALWAYS = types.Omitted(True)
"""The type of an argument that wasn't given."""


@intrinsic
def share(typing_context, task, count, arguments, divided=ALWAYS):
    """Run task(begin, end, *arguments) for parts of 0 … count, one for each thread.

    Args:
        task: a part, or a kernel, that returns nothing.
        count: how many tasks there are; of a single one no other thread is woken.
        arguments: a tuple.
        divided: whether other threads are woken; by default they are.

    Raises:
        MemoryError: if there was none for a task. What others did stays.
    """
    wanted = typing_context.resolve_function_type(task, (types.intp, types.intp, *arguments.types), {})

    def codegen(context, builder, signature, args):
        compiled = task.dispatcher.get_compile_result(wanted)
        context.active_code_library.add_linking_library(compiled.library)
        shared = context.get_value_type(signature.args[2])
        count = context.cast(builder, args[1], signature.args[1], types.intp)
        ask = cgutils.get_or_insert_function(builder.module, ir.FunctionType(WORD, []), "get_num_threads")
        threads = builder.call(ask, [])
        parts = builder.select(builder.icmp_signed("<", count, threads), count, threads)
        if not isinstance(divided, types.Omitted):
            one = builder.select(builder.icmp_signed("<", count, WORD(1)), count, WORD(1))
            parts = builder.select(context.cast(builder, args[3], divided, types.boolean), parts, one)
        room = cgutils.alloca_once(builder, ir.LiteralStructType([WORD, WORD, FLAG, shared]))
        for place, value in enumerate((count, parts, FLAG(0), args[2])):
            builder.store(value, cgutils.gep_inbounds(builder, room, 0, place))
        first, sizes, steps = (cgutils.alloca_once(builder, WORD) for _ in range(3))
        for place, value in ((first, WORD(0)), (sizes, parts), (steps, WORD(1))):  # a part's address is its number
            builder.store(value, place)
        body = _body(context, builder, compiled, shared, wanted)
        given = (builder.bitcast(first, POINTER.as_pointer()), sizes, steps, builder.bitcast(room, POINTER))
        with builder.if_else(builder.icmp_signed(">", parts, WORD(1))) as (several, single):
            with several:
                enter = cgutils.get_or_insert_function(builder.module, ENTER, "numba_parallel_for")
                builder.call(enter, (builder.bitcast(body, POINTER), *given, WORD(0), WORD(1), parts))
            with single, builder.if_then(builder.icmp_signed("==", parts, WORD(1))):
                builder.call(body, given)
        failed = builder.load(cgutils.gep_inbounds(builder, room, 0, 2))
        with cgutils.if_unlikely(builder, builder.icmp_signed("!=", failed, FLAG(0))):
            context.call_conv.return_user_exc(builder, MemoryError, ("no memory for what a kernel works with",))
        return context.get_dummy_value()

    return types.void(task, count, arguments, divided), codegen


def _body(context: Any, builder: ir.IRBuilder, compiled: Any, shared: ir.Type, wanted: Any) -> ir.Function:
    """The function that threads call; it unpacks {count, parts, failed, arguments} from its data."""
    module, name = builder.module, builder.function.name
    body = ir.Function(module, BODY, module.get_unique_name(f"{name}.shared"))
    body.linkage = "internal"
    inside = ir.IRBuilder(body.append_basic_block("entry"))
    places, sizes, _, data = body.args
    room = inside.bitcast(data, ir.LiteralStructType([WORD, WORD, FLAG, shared]).as_pointer())
    count, parts, values = (inside.load(cgutils.gep_inbounds(inside, room, 0, place)) for place in (0, 1, 3))
    number = inside.ptrtoint(inside.load(places), WORD)
    after = inside.add(number, inside.load(sizes))
    begin, end = (inside.sdiv(inside.mul(count, one), parts) for one in (number, after))
    function = context.declare_function(module, compiled.fndesc)
    given = zip(wanted.args[2:], cgutils.unpack_tuple(inside, values), strict=True)
    arguments = [begin, end, *(_borrowed(context, inside, kind, value) for kind, value in given)]
    status, _ = context.call_conv.call_function(inside, function, types.none, wanted.args, arguments)
    with cgutils.if_unlikely(inside, status.is_error):
        inside.store(FLAG(1), cgutils.gep_inbounds(inside, room, 0, 2))
    inside.ret_void()
    return body


def _borrowed(context: Any, builder: ir.IRBuilder, kind: Any, value: Any) -> Any:
    """An array without its owner: who calls `share` keeps it alive, and threads would wait to count references."""
    if not isinstance(kind, types.Array):
        return value
    array = context.make_array(kind)(context, builder, value)
    array.meminfo = ir.Constant(array.meminfo.type, None)
    array.parent = ir.Constant(array.parent.type, None)
    return array._getvalue()
