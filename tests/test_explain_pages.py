"""`minicnn explain --html` and explanations in a notebook: the page that is written holds the object's state."""

import html
import json
import re

import numpy as np
import pytest
from test_cli import fails, run

from minicnn import explain
from minicnn.explain.explanation import MOST_ON_A_PAGE
from minicnn.explain.given import drawn, drawn_classes
from minicnn.explain.page import render

X = drawn("input", (1, 2, 4, 5), 0)
EXPLANATIONS = {
    "conv2d": lambda: explain.conv2d(X, padding=1, at=(0, 1, 2)),
    "conv_transpose2d": lambda: explain.conv_transpose2d(X, stride=2),
    "max_pool2d": lambda: explain.max_pool2d(X),
    "avg_pool2d": lambda: explain.avg_pool2d(X),
    "batch_norm": lambda: explain.batch_norm(X),
    "cross_entropy": lambda: explain.cross_entropy(drawn("input", (3, 4), 0), drawn_classes(3, 4, 0)),
}


def states(text):
    """The state that a page carries."""
    return [
        json.loads(found)["state"]
        for found in re.findall(r'<script[^>]*type="application/json"[^>]*>(.*?)</script>', text, re.S)
    ]


@pytest.mark.parametrize("op", EXPLANATIONS)
def test_a_page_holds_the_state(op, tmp_path):
    explanation = EXPLANATIONS[op]()
    path = tmp_path / "page.html"
    path.write_text("what was there before")
    explanation.save(path)
    assert path.read_text("utf-8") == render(explanation.state())
    assert states(path.read_text("utf-8")) == [explanation.state()]
    assert [one.name for one in tmp_path.iterdir()] == ["page.html"]
    frame = explanation._repr_html_()
    (inside,) = re.findall(r'srcdoc="([^"]*)"', frame)
    assert html.unescape(inside) == path.read_text("utf-8")


def test_the_command_writes_the_same_page(tmp_path):
    path = tmp_path / "page.html"
    result = run("explain", "conv2d", "--input", "1,4,4", "--no-bias", "--seed", 3, "--html", path)
    assert result.exit_code == 0, result.output
    assert result.output.startswith(f"{path}: ")
    assert len(result.output.splitlines()) == 1
    expected = explain.conv2d(drawn("input", (1, 1, 4, 4), 3), drawn("weight", (1, 1, 3, 3), 3), seed=3)
    assert states(path.read_text("utf-8")) == [expected.state()]


def test_what_a_page_cannot_hold(tmp_path):
    path = tmp_path / "page.html"
    large = explain.max_pool2d(np.ones((300, 300)))
    with pytest.raises(ValueError, match=f"at most {MOST_ON_A_PAGE:,} numbers"):
        large.save(path)
    message = fails(2, "explain", "max_pool2d", "--input", "1,300,300", "--html", path)
    assert "a page holds at most" in message
    assert "nowhere" in fails(2, "explain", "conv2d", "--html", tmp_path / "nowhere" / "page.html")
    assert "irectory" in fails(2, "explain", "conv2d", "--html", tmp_path)
    assert not list(tmp_path.iterdir())
