"""One operation as a page: its numbers forward and backward, to point at, to change and to play.

The page is one file: a template, a style sheet and a few scripts of one idea each, joined together with the numbers. It
loads nothing and needs no network; what its settings are stands in its address. The scripts compute every operation in
float64 by the formulas that minicnn's kernels state, and compare with minicnn's own results, which come along. Numbers
are painted on canvases, one for each plane, so that a change of a thousand of them is seen with the next frame.
"""

import inspect
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from minicnn.kernels.convolution import naive, winograd
from minicnn.kernels.machine import lanes, tiles
from minicnn.palette import DARK, LIGHT

SCRIPTS = (
    *("numbers", "geometry", "links", "dom", "loops", "patches", "tiles", "winograd", "tables", "shared"),
    *("convolution", "pooling", "normalization", "entropy"),
    *("address", "grid", "panels", "controls", "explanation", "page"),
)
"""In the order in which they build on each other."""


def render(state: Mapping[str, Any]) -> str:
    """One self-contained page of HTML.

    Args:
        state: what `Explanation.state` gives: "op" ("conv2d", "conv_transpose2d", "max_pool2d", "avg_pool2d",
            "batch_norm" or "cross_entropy"), "arrays" (name to {"shape", "values"}, float64 in row-major order, with
            "NaN", "Infinity" and "-Infinity" as strings), "options", "at" (the element of the output that is chosen
            at first) and "results" ("output", "grad_output" and gradients, shaped like arrays).

    Returns: the page as text.
    """
    from jinja2 import Environment, PackageLoader

    import minicnn

    folder = files("minicnn.explain.page")
    environment = Environment(loader=PackageLoader("minicnn.explain", "page"), autoescape=True)
    return environment.get_template("page.html").render(
        op=state["op"],
        ladder=state["op"].startswith("conv"),
        light=LIGHT,
        dark=DARK,
        css=(folder / "page.css").read_text("utf-8"),
        scripts="\n".join((folder / "scripts" / f"{name}.js").read_text("utf-8") for name in SCRIPTS),
        data={"state": dict(state), "context": _context()},
        version=minicnn.__version__,
    )


def _context() -> dict[str, Any]:
    """What the page shows of minicnn itself: the loops' lines, Winograd's matrices, the machine's largest tile."""
    rows, vectors = max(((rows[0], vectors) for vectors, rows in tiles().items()), key=lambda tile: tile[0] * tile[1])
    return {
        "loops": {name: _lines(getattr(naive, f"_{name}")) for name in ("forward", "grad_input", "grad_weight")},
        "winograd": {"A": winograd.A2.tolist(), "B": winograd.B2.tolist(), "G": winograd.G2.tolist()},
        "tiles": {"rows": rows, "vectors": vectors, "lanes": lanes("float32")},
    }


def _lines(function: Any) -> list[str]:
    """The lines of a kernel from its first loop on, as far to the left as they go, indented by two."""
    lines = inspect.getsource(inspect.unwrap(getattr(function, "py_func", function))).splitlines()
    first = next(i for i, line in enumerate(lines) if line.lstrip().startswith("for "))
    indent = len(lines[first]) - len(lines[first].lstrip())
    lines = [line[indent:] for line in lines[first:]]
    return [" " * ((len(line) - len(line.lstrip())) // 2) + line.lstrip() for line in lines]
