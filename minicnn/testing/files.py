"""A verdict as JSON and as JUnit's XML, for other programs to read."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from minicnn.testing.verdict import Row, Verdict


def as_dict(verdict: Verdict) -> dict[str, Any]:
    """Everything a verdict says, in plain values; NaN and infinities as words, which JSON has no numbers for."""
    smallest = verdict.smallest
    case = None
    if smallest is not None:
        arrays = {name: array for name, array in smallest.case.arrays.items() if array is not None}
        case = {
            "arrays": {name: _array(array) for name, array in arrays.items()},
            "options": dict(smallest.case.options),
            "result": smallest.what,
            "expected": None if smallest.wanted is None else _array(smallest.wanted.astype(smallest.case.dtype)),
            "received": None if smallest.received is None else _array(smallest.received),
        }
    return {
        "target": verdict.target,
        "operation": verdict.operation.name,
        "passed": verdict.passed,
        "sentence": verdict.sentence,
        "mistake": None if verdict.mistake is None else verdict.mistake.sentence,
        "mistakes": {name: mistake.sentence for name, mistake in verdict.partly.items()},
        "condition": None if verdict.condition is None else verdict.condition.text,
        "findings": [
            {"kind": one.kind, "what": one.what, "message": one.message, "cases": verdict.counts[one.label]}
            for one in verdict.findings
        ],
        "smallest": case,
        "coverage": [
            {
                "option": row.option,
                "cases": row.cases,
                "passed": row.passed,
                "failed": row.failed,
                "not_asked_because": row.not_asked_because or None,
            }
            for row in verdict.coverage
        ],
        "cases": verdict.cases,
        "examples_needed": verdict.examples_needed,
        "seed": verdict.seed,
        "seconds": round(verdict.seconds, 3),
        "in_time": verdict.in_time,
        "oracle": verdict.oracle,
    }


def write_json(verdict: Verdict, path: Path) -> None:
    """Write a verdict as JSON."""
    path.write_text(json.dumps(as_dict(verdict), indent=2, allow_nan=False) + "\n")


def write_junit(verdict: Verdict, path: Path) -> None:
    """Write a verdict as JUnit's XML: one test for each row of the coverage table, skipped if it wasn't asked."""
    suite = ElementTree.Element(
        "testsuite",
        name=f"minicnn check {verdict.target}",
        tests=str(len(verdict.coverage)),
        failures=str(sum(row.failed > 0 for row in verdict.coverage)),
        skipped=str(sum(not row.cases for row in verdict.coverage)),
        errors="0",
        time=f"{verdict.seconds:.3f}",
    )
    for row in verdict.coverage:
        _add_test(suite, row, verdict)
    ElementTree.indent(suite)
    ElementTree.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)


def _add_test(suite: ElementTree.Element, row: Row, verdict: Verdict) -> None:
    test = ElementTree.SubElement(suite, "testcase", classname=verdict.target, name=row.option, time="0")
    if not row.cases:
        ElementTree.SubElement(test, "skipped", message=row.not_asked_because)
    elif row.failed:
        failure = ElementTree.SubElement(test, "failure", message=f"{row.failed} of {row.cases} cases are wrong")
        failure.text = "".join(one if one.isprintable() or one == "\n" else "?" for one in verdict.text())


def _array(array: np.ndarray) -> dict[str, Any]:
    return {"dtype": array.dtype.name, "shape": list(array.shape), "values": _values(array.tolist())}


def _values(value: Any) -> Any:
    if isinstance(value, list):
        return [_values(one) for one in value]
    return value if np.isfinite(value) else str(value)
