"""Figures that were measured before: a table of RESULTS.md, the growth in growth.json, the bars in ladder.json."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from benchmarks.growth import Point
from benchmarks.machine import Limits
from benchmarks.rows import Result, Run, Work
from benchmarks.rungs import Bar, Ladder
from minicnn.recipes.errors import UserError

HERE = Path(__file__).parent
RESULTS = HERE / "RESULTS.md"
GROWTH = HERE / "growth.json"
LADDER = HERE / "ladder.json"

ROW = re.compile(r"\| (.+?) \| ([\d. /]+) \| ([\d.]+) ms \| ([\d.]+) ms \| ([\d.]+) (\S+) \| ([\d.]+)% \|")
LIMITS = re.compile(r"limits ([\d. /]+) GFLOP/s \(sgemm\), ([\d. /]+) GB/s \(copy\)")


def table(command: str, works: list[Work]) -> list[Run]:
    """The runs of a table in RESULTS.md: each run's ratios, and the medians of times, rates and shares.

    Args:
        command: how the line above the table begins, in backquotes.
        works: what was measured, for their operations and bytes.

    Raises:
        UserError: where there is no such table, or it has other rows.
    """
    _, line, rest = RESULTS.read_text(encoding="utf-8").partition(f"\n`{command}")
    text = rest.partition("\n| --- |")
    limits = LIMITS.search(text[0])
    if not line or limits is None:
        raise UserError(f"{RESULTS} has no table of `{command}` with limits")
    rows = {row[0]: row[1:] for row in ROW.findall(text[2].partition("\n\n")[0])}
    known = {work.title: work for work in works}
    if rows.keys() != known.keys():
        raise UserError(f"the table of `{command}` has other rows: {', '.join(rows.keys() ^ known.keys())}")
    speeds, copies = (split(part) for part in limits.groups())
    return [
        Run(Limits(speeds[run], copies[run]), [_result(known[name], cells, run) for name, cells in rows.items()])
        for run in range(len(speeds))
    ]


def _result(work: Work, cells: tuple[str, ...], run: int) -> Result:
    """A row of a table in one of the runs."""
    ratios, ours, theirs, rate, unit, share = cells
    return Result(
        title=work.title,
        name=work.name,
        part=work.part,
        flops=work.flops,
        bytes=work.bytes,
        first=float("nan"),
        ours=float(ours) / 1e3,
        theirs=float(theirs) / 1e3,
        format="",
        ratio=split(ratios)[run],
        rate=float(rate),
        unit=unit,
        share=float(share) / 100,
    )


def split(numbers: str) -> list[float]:
    """1.5 / 2 / 3"""
    return [float(text) for text in numbers.split("/")]


def machine() -> dict[str, str]:
    """What RESULTS.md says of the machine, for the small print."""
    found = re.search(
        r"Machine, unless said otherwise: (.+?),\nshared.*?Date: ([\d-]+)", RESULTS.read_text("utf-8"), re.S
    )
    if found is None:
        raise UserError(f"{RESULTS} doesn't say on which machine it was measured")
    return {"recorded in": "benchmarks/RESULTS.md", "machine": found[1], "date": found[2]}


def growth() -> tuple[str, Mapping[str, list[Point]], dict[str, str]]:
    """The convolution, the points of each axis and the environment in growth.json, as `scale --output` wrote them."""
    content = json.loads(GROWTH.read_bytes())
    axes = {axis: [Point(**point) for point in points] for axis, points in content["axes"].items()}
    return content["spec"], axes, content["environment"]


def ladder(path: Path = LADDER) -> tuple[list[Ladder], dict[str, str]]:
    """The runs and the environment in ladder.json, as `ladder --output` wrote them."""
    content = json.loads(path.read_bytes())
    runs = [Ladder(run["sgemm"], run["peak"], [Bar(**bar) for bar in run["bars"]]) for run in content["runs"]]
    return runs, content["environment"]
