"""What the tests of `minicnn explain` ask of every operation: what is printed, the program, the state."""

import io
import json
import math
import re

import numpy as np
from hypothesis import settings
from rich.console import Console

FEW = settings(max_examples=max(settings.default.max_examples // 3, 5))

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
SIGNS = {"⌊": "math.floor(", "⌋": ")", "⌈": "math.ceil(", "⌉": ")", "·": "*", "−": "-", "√": "math.sqrt", "²": "**2"}
WORDS = {r"\bfloor\(": "math.floor(", r"\bceil\(": "math.ceil(", r"\bsqrt\(": "math.sqrt(", r"\^2": "**2"}
DIGITS = 5e-4
"""Numbers of four digits are off by that share of themselves at most."""


def text_of(explanation, width=80, **options):
    """What `print` writes."""
    file = io.StringIO()
    explanation.print(Console(file=file, width=width, **{"color_system": None, **options}))
    return file.getvalue()


def printed(explanation, width, ascii_only):
    """What is printed but for the program, in one line; no line is too long, and no colour is needed."""
    encoding = "ascii" if ascii_only else "utf-8"

    def written(**options):
        raw = io.BytesIO()
        file = io.TextIOWrapper(raw, encoding=encoding)
        explanation.print(Console(file=file, width=width, **options))
        file.flush()
        return raw.getvalue().decode(encoding)

    plain = written(color_system=None)
    coloured = written(color_system="truecolor", force_terminal=True, no_color=False)
    assert "\x1b" not in plain
    assert ascii_only or "\x1b" in coloured
    assert ESCAPES.sub("", coloured) == plain
    text, _, code = plain.partition("\nIn PyTorch\n")
    assert max(map(len, plain.splitlines())) <= max(width, 80)
    assert "gives the same numbers" in " ".join(code.split())
    return " ".join(text.split())


def equal_sides(sides):
    """The value of sides of an equation, which must be equal up to the digits that are left out."""
    values, numbers = [], []
    for side in sides:
        side = re.sub(r"\d+ more products \((.*?)\)", r"(\1)", side).replace("bias ", "")
        side = re.sub(r"\d+ more \((.*?)\)", r"(\1)", side)
        for sign, word in SIGNS.items():
            side = side.replace(sign, word)
        for pattern, word in WORDS.items():
            side = re.sub(rf"(?<!math\.){pattern}", word, side)
        values.append(eval(side, {"math": math, "nan": math.nan, "inf": math.inf}))
        numbers += [abs(float(one)) for one in re.findall(r"\d+\.?\d*(?:e[+-]\d+)?", side)]
    rounded = any(mark in side for side in sides for mark in (".", "/", "e-"))
    room = DIGITS * (1 + max(numbers)) ** 2 * len(numbers) if rounded else 0
    assert max(values) - min(values) <= room, sides
    return values[-1]


def run_program(explanation):
    """The variables of PyTorch's lines, taken from what is printed, after they have run."""
    names = {"print": lambda *values, sep: None}
    text = text_of(explanation)
    exec(text[text.index("\nIn PyTorch\n") + 12 : text.index("\nPyTorch ")], names)
    return names


def check_state(explanation):
    """The state survives JSON and holds all numbers."""
    state = json.loads(json.dumps(explanation.state(), allow_nan=False))
    assert state == explanation.state()
    for part, givens in (("arrays", explanation.arrays), ("results", explanation.results)):
        assert state[part].keys() == givens.keys()
        for name, one in givens.items():
            found = state[part][name]
            np.testing.assert_array_equal(np.array(found["values"], float).reshape(found["shape"]), one.array)
    assert state["at"] == list(explanation.at)
    assert state["op"] == explanation.op
    return state
