"""The stack machine that reads pickles without running what they say.

A pickle is a program for a small stack machine, and Python's own machine lets it call anything. The machine here knows
only the instructions that build dictionaries, lists, tuples, numbers and strings, and when a program wants to call
something, it looks the name up in a table.
"""

import pickletools
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from minicnn.serialization.names import Name, is_name, meaning
from minicnn.serialization.numpy_values import NumpyArray, NumpyDtype

_PUSHES_ITS_ARGUMENT = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
    *("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
}
_PUSHES: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
}
_SHORT_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


ALWAYS_ALLOWED = 2**20
"""How many bytes a pickle may build beside those that it holds."""

_KEYS = (str, int, float, bytes, type(None), tuple)
"""What the keys of a dictionary may be."""


class Machine:
    """Reads one pickle.

    Args:
        tensors: makes what the file holds beside the pickle: its `storage(identity)` is what a persistent id means.
        calls: what a pickle may call, by name; each is given `tensors` before the pickle's own arguments.
    """

    def __init__(self, tensors: Any, calls: Mapping[str, Callable[..., Any]]) -> None:
        self._tensors, self._calls = tensors, calls
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}
        self._unfinished: dict[int, int] = {}  # arrays whose contents are to come → their places in the memo

    def run(self, program: bytes) -> Any:
        """The object that a pickle describes."""
        self._room = ALWAYS_ALLOWED + 4 * len(program)
        for opcode, argument, _ in pickletools.genops(program):
            if opcode.name == "STOP":
                return self._stack.pop()
            self._execute(opcode.name, argument)
        raise ValueError("its pickle is truncated")

    def _execute(self, name: str, argument: Any) -> None:
        stack = self._stack
        if name in _PUSHES_ITS_ARGUMENT:
            stack.append(argument)
        elif name in _PUSHES:
            stack.append(_PUSHES[name]())
        elif name in _SHORT_TUPLES:
            count = _SHORT_TUPLES[name]
            stack[-count:] = [tuple(stack[-count:])]
        else:
            match name:
                case "PROTO" | "FRAME":
                    pass
                case "MARK":
                    self._marks.append(len(stack))
                case "TUPLE":
                    stack.append(tuple(self._pop_to_mark()))
                case "APPEND":
                    item = stack.pop()
                    self._top(list).append(item)
                case "APPENDS":
                    items = self._pop_to_mark()
                    self._top(list).extend(items)
                case "SETITEM":
                    value, key = stack.pop(), stack.pop()
                    self._set_items([key, value])
                case "SETITEMS":
                    self._set_items(self._pop_to_mark())
                case "BINPUT" | "LONG_BINPUT" | "PUT":
                    self._memo[argument] = stack[-1]
                    if type(stack[-1]) is NumpyArray:
                        self._unfinished[id(stack[-1])] = argument
                case "MEMOIZE":
                    self._memo[len(self._memo)] = stack[-1]
                case "BINGET" | "LONG_BINGET" | "GET":
                    stack.append(self._memo[argument])
                case "GLOBAL":
                    stack.append(self._name(argument.replace(" ", ".")))
                case "STACK_GLOBAL":
                    attribute, module = stack.pop(), stack.pop()
                    stack.append(self._name(".".join((module, attribute))))
                case "BINPERSID":
                    stack.append(self._tensors.storage(stack.pop()))
                case "REDUCE":
                    arguments, function = stack.pop(), stack.pop()
                    stack.append(self._call(function, arguments))
                case "BUILD":
                    self._build(stack.pop())
                case _:
                    raise ValueError(f"its pickle uses {name}, which tensors in plain containers do not need")

    def _build(self, state: Any) -> None:
        """Give the object on top its state; a dictionary's attributes, such as `_metadata`, are dropped."""
        top = self._stack[-1]
        if isinstance(top, (NumpyArray, NumpyDtype)):
            self._stack[-1] = self._weighed(top.build(state))
            if id(top) in self._unfinished:
                self._memo[self._unfinished.pop(id(top))] = self._stack[-1]
        else:
            self._top(dict)

    def _pop_to_mark(self) -> list[Any]:
        mark = self._marks.pop()
        items = self._stack[mark:]
        del self._stack[mark:]
        return items

    def _top(self, expected: type) -> Any:
        if type(self._stack[-1]) is not expected and not (expected is dict and type(self._stack[-1]) is OrderedDict):
            raise ValueError(f"its pickle treats a {type(self._stack[-1]).__name__} as a {expected.__name__}")
        return self._stack[-1]

    def _set_items(self, items: list[Any]) -> None:
        target = self._top(dict)
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, _KEYS) or (isinstance(key, tuple) and not all(isinstance(k, _KEYS) for k in key)):
                raise ValueError(f"its pickle uses a {type(key).__name__} as a dictionary's key")
            target[key] = value

    def _name(self, name: str) -> Any:
        if name not in self._calls and not is_name(name):
            raise ValueError(
                f"its pickle asks for {name}, which no tensor needs; nothing was executed. Where you trust the file, "
                "pass weights_only=False, and whatever it says runs"
            )
        return meaning(name)

    def _call(self, function: Any, arguments: Any) -> Any:
        if type(function) is not Name or function not in self._calls or type(arguments) is not tuple:
            raise ValueError("its pickle calls what no tensor needs; nothing was executed")
        return self._weighed(self._calls[function](self._tensors, *arguments))

    def _weighed(self, value: Any) -> Any:
        """The same, if a few bytes weren't told to become too many: one text, encoded over and over."""
        if isinstance(value, (bytes, bytearray)):
            self._room -= len(value)
        elif isinstance(value, np.ndarray):
            self._room -= value.nbytes
        if self._room < 0:
            raise ValueError("its pickle builds far more bytes than it holds")
        return value
