"""The page in a real browser: its numbers are PyTorch's after every change, and everybody can use it."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from minicnn import explain
from minicnn.explain.page import render
from minicnn.learn.page import render as render_course
from tests.page.browser import Opened, launched
from tests.page.reading import check, click, expected, go_back, padding, pair, point, read
from tests.page.states import OPERATIONS, example
from tests.page.walking import step

few = settings(max_examples=2, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with launched() as found:
        yield found


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A page of each operation."""
    folder = tmp_path_factory.mktemp("pages")
    for op in OPERATIONS:
        (folder / f"{op}.html").write_text(render(json.loads(json.dumps(example(op)))), "utf-8")
    return {op: folder / f"{op}.html" for op in OPERATIONS}


def walk(browser: Any, path: Path, op: str, steps: int, seed: int) -> None:
    """Change the page at random; after each change its numbers are PyTorch's, or it says why nothing changed."""
    opened = Opened(browser, path)
    page, chance = opened.page, random.Random(seed)
    before = read(page)
    check(op, before)
    refused = 0
    for number in range(steps):
        done = step(page, op, chance)
        shown = read(page)
        if shown["problem"]:
            refused += 1
            assert shown["problem"].endswith(".")
            assert shown["cells"] == before["cells"], done
            assert shown["call"] == before["call"], done
            page.click("#reset")
            shown = read(page)
            assert not shown["problem"], done
        try:
            check(op, shown)
        except Exception as error:
            raise AssertionError(f"step {number} of seed {seed}: {done}: {shown['call']}") from error
        if number % 10 == 0:
            run_program(op, shown)
        before = shown
    opened.close()
    assert refused < steps


def run_program(op: str, shown: dict[str, Any]) -> None:
    """The lines that the page prints are a program that gives the page's numbers."""
    names: dict[str, Any] = {"print": lambda *values, sep: None}
    exec(shown["program"], names)
    for name, result in expected(op, shown).items():
        if name.startswith("new_"):
            continue
        value = names["output"] if name == "output" else names[name.removeprefix("grad_")].grad
        np.testing.assert_allclose(value.detach().numpy(), result, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("op", OPERATIONS)
def test_numbers_are_pytorchs(browser: Any, pages: dict[str, Path], op: str) -> None:
    @settings(few, max_examples=1)
    @given(st.integers(1, 2**32))
    def run(seed: int) -> None:
        walk(browser, pages[op], op, 8, seed)

    run()


@pytest.mark.slow
@pytest.mark.parametrize(("op", "steps"), [(op, 400 if op == "conv2d" else 120) for op in OPERATIONS])
def test_numbers_are_pytorchs_for_long(browser: Any, pages: dict[str, Path], op: str, steps: int) -> None:
    @settings(few, max_examples=2)
    @given(st.integers(1, 2**32))
    def run(seed: int) -> None:
        walk(browser, pages[op], op, steps, seed)

    run()


MARKED = """(name) => {
  const panel = document.querySelector(`[data-name=${name}]`);
  const colour = (variable) => {
    const pen = document.createElement('canvas').getContext('2d');
    pen.fillStyle = getComputedStyle(panel).getPropertyValue(variable).trim();
    return pen.fillStyle;
  };
  const tints = [colour('--tint'), colour('--notice-tint')];
  return [...panel.querySelectorAll('canvas')]
    .flatMap(({ painted }) => [...painted].filter(([, { back }]) => tints.includes(back)).map(([k]) => k));
}"""


def marked(page: Any, name: str) -> set[int]:
    """The numbers of an array that lie on a tint."""
    return set(page.evaluate(MARKED, name))


GEOMETRIES = (
    "",
    "#stride=2,1&padding=2,1&size=6,7",
    "#kernel=2,3&dilation=2,1&padding=same&size=6,5",
    "#channels=4&outputs=2&groups=2&padding=0&kernel=2,2",
)


@pytest.mark.parametrize("address", GEOMETRIES)
def test_pointing_shows_windows(browser: Any, pages: dict[str, Path], address: str) -> None:
    """What is marked is what PyTorch's gradients of a convolution with ones say takes part."""
    opened = Opened(browser, pages["conv2d"], address)
    shown = read(opened.page)
    shapes = {name: shown["arrays"][name].shape for name in ("input", "weight", "output")}
    ones = {name: torch.ones(shapes[name], dtype=torch.float64, requires_grad=True) for name in ("input", "weight")}
    given = shown["settings"]
    options = (pair(given, "stride"), padding(given), pair(given, "dilation"), int(given["groups"]))
    output = F.conv2d(ones["input"], ones["weight"], None, *options)
    k = output.numel() // 2
    (by_input,) = torch.autograd.grad(output.flatten()[k], ones["input"])
    point(opened.page, "output", k)
    assert marked(opened.page, "input") == set(by_input.flatten().nonzero().flatten().tolist())
    for name, array in ones.items():
        k = array.numel() // 2
        one = torch.zeros(array.shape, dtype=torch.float64)
        one.view(-1)[k] = 1
        parts = {**ones, name: one}
        reached = F.conv2d(parts["input"], parts["weight"], None, *options).flatten().nonzero().flatten().tolist()
        point(opened.page, name, k)
        assert marked(opened.page, "output") == set(reached)
    opened.close()


@pytest.mark.parametrize("op", OPERATIONS)
def test_sum_is_written_out(browser: Any, pages: dict[str, Path], op: str) -> None:
    """The lines below the numbers are true: what stands left of the last equals sign has that value."""
    opened = Opened(browser, pages[op])
    if op in ("conv2d", "avg_pool2d", "max_pool2d"):
        for k in range(9):
            point(opened.page, "output", k)
            line = opened.page.locator("#lines p").first.inner_text()
            _, left, right = line.replace("−", "-").replace("·", "*").split(" = ")
            assert eval(left, {"max": max}) == pytest.approx(float(right), rel=1e-5)
    else:
        assert "=" in opened.page.locator("#lines").inner_text()
    opened.close()


def test_address_holds_the_settings(browser: Any, pages: dict[str, Path]) -> None:
    """A changed page can be shared by its address; the back button undoes."""
    opened = Opened(browser, pages["conv2d"])
    page = opened.page
    first = read(page)
    page.fill("#set-stride-rows", "2")
    second = read(page)
    assert second["cells"] != first["cells"]
    page.wait_for_function("location.hash")  # it is written after the change is on the screen
    address = page.evaluate("location.hash")
    click(page, "input", 0)
    page.keyboard.type("7.5")
    page.keyboard.press("Enter")
    third = read(page)
    assert 7.5 in third["arrays"]["input"]
    page.wait_for_function("before => location.hash !== before", arg=address)
    address = page.evaluate("location.hash")
    shared = Opened(browser, pages["conv2d"], address)
    assert read(shared.page)["cells"] == third["cells"]
    shared.close()
    go_back(page)
    assert read(page)["cells"] == second["cells"]
    go_back(page)
    assert read(page)["cells"] == first["cells"]
    assert page.input_value("#set-stride-rows") == "1"
    opened.close()


@pytest.mark.parametrize(
    "address",
    [
        "#stride=x",
        "#groups=3",
        "#kernel=9,9",
        "#%",
        "#array.input=2x2:1,2",
        "#array.input=1x1x1x1:",
        "#padding=same&stride=2,2",
    ],
)
def test_damaged_address_gets_a_sentence(browser: Any, pages: dict[str, Path], address: str) -> None:
    opened = Opened(browser, pages["conv2d"], address)
    shown = read(opened.page)
    assert shown["problem"].endswith(".")
    check("conv2d", shown)
    opened.close()


def test_invalid_settings_keep_the_last_state(browser: Any, pages: dict[str, Path]) -> None:
    """Values that fit together only at the end can be typed one after the other."""
    opened = Opened(browser, pages["conv2d"])
    page = opened.page
    before = read(page)
    page.fill("#set-groups", "2")
    refused = read(page)
    assert "2 groups do not divide 1 input channels" in refused["problem"]
    assert refused["cells"] == before["cells"]
    page.fill("#set-channels", "2")
    page.fill("#set-outputs", "4")
    shown = read(page)
    assert shown["problem"] == ""
    assert shown["arrays"]["weight"].shape == (4, 1, 3, 3)
    check("conv2d", shown)
    page.fill("#set-kernel-rows", "11")
    assert "The window spans 11 rows" in read(page)["problem"]
    page.fill("#set-kernel-rows", "")
    assert "Kernel, rows, must be a whole number" in read(page)["problem"]
    opened.close()


def test_pointing_paints_the_window_alone(browser: Any, tmp_path: Path) -> None:
    """Of 4,000 numbers only those are painted that are marked or were, which keeps a reaction within a frame."""
    path = tmp_path / "large.html"
    x = np.random.default_rng(0).integers(-3, 4, (1, 1, 32, 32)).astype(float)
    explain.conv2d(x, np.ones((1, 1, 3, 3)), padding=1).save(path)
    opened = Opened(browser, path)
    page = opened.page
    point(page, "output", 100)
    before = page.evaluate("window.filled")
    point(page, "output", 500)
    assert 9 < page.evaluate("window.filled") - before <= 90
    opened.close()


def test_numbers_out_of_sight_are_painted_when_they_come_into_it(browser: Any, pages: dict[str, Path]) -> None:
    opened = Opened(browser, pages["conv2d"], viewport={"width": 390, "height": 300})
    page = opened.page
    page.fill("#set-size-rows", "20")
    page.evaluate("window.scrollTo(0, 0)")
    unseen = "() => !document.querySelector('[data-name=output] canvas').grid.seen"
    page.wait_for_function(unseen)
    page.click("#new")
    page.evaluate("document.querySelector('[data-name=output]').scrollIntoView()")
    check("conv2d", read(page) | {"cells": {"output": read(page)["cells"]["output"]}})
    opened.close()


def test_paper_shows_what_is_out_of_sight(browser: Any, pages: dict[str, Path]) -> None:
    opened = Opened(browser, pages["conv2d"], "#size=20,20", viewport={"width": 390, "height": 300})
    page = opened.page
    waits = "() => [...document.querySelectorAll('canvas')].some(({ grid }) => grid.stale())"
    assert page.evaluate(waits)
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert not page.evaluate(waits)
    opened.close()


FOCUSED = """() => {
  const element = document.activeElement;
  return element.closest('.panel')?.dataset.name ?? (element.id || element.tagName);
}"""
REACHABLE = """() => [...document.querySelectorAll('button, select, input, summary, [role=grid]')]
  .filter((element) => element.checkVisibility() && !element.disabled && element.getAttribute('role') !== 'tab')
  .filter((element) => element.type !== 'radio')
  .map((element) => element.closest('.panel')?.dataset.name ?? (element.id || element.tagName))"""


@pytest.mark.parametrize("op", OPERATIONS)
def test_keyboard_reaches_everything(browser: Any, pages: dict[str, Path], op: str) -> None:
    opened = Opened(browser, pages[op])
    page = opened.page
    wanted = page.evaluate(REACHABLE)
    reached: list[str] = []
    for _ in range(120):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(FOCUSED))
        if len(reached) > 5 and reached[-1] == reached[0]:
            break
    names = set(reached)
    assert set(wanted) <= names
    assert names & {"forward", "backward"}
    assert any(name.startswith("tab-") for name in names)
    page.focus("#forward")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("window.explained.mode") == "backward"
    page.keyboard.press("ArrowLeft")
    tabs = page.locator("[role=tab]")
    tabs.first.focus()
    for _ in range(tabs.count() - 1):
        page.keyboard.press("ArrowRight")
    assert tabs.last.get_attribute("aria-selected") == "true"
    cell = page.locator("[data-name=input] .cell[tabindex='0']").first
    cell.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert "column 1" in page.inner_text("#live")
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("3, row")
    check(op, read(page))
    opened.close()


def violations(page: Any) -> list[tuple[str, str, list[str]]]:
    """What axe finds wrong: rule, help, elements."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason='axe: pip install ".[browser]"').Axe()
    found = axe.run(page).response["violations"]
    return [(one["id"], one["help"], [node["html"][:200] for node in one["nodes"][:3]]) for one in found]


def accessible(browser: Any, path: Path, colours: str, directions: tuple[str, ...], width: int = 1400) -> None:
    size = {"width": width, "height": 900}
    opened = Opened(browser, path, color_scheme=colours, reduced_motion="reduce", viewport=size)
    page = opened.page
    for direction in directions:
        page.locator(f"label[for={direction}]").click()
        for tab in page.locator("[role=tab]").all():
            tab.click()
            assert violations(page) == []
    opened.close()


def test_conv2d_is_accessible(browser: Any, pages: dict[str, Path]) -> None:
    accessible(browser, pages["conv2d"], "light", ("forward",))


@pytest.mark.slow
@pytest.mark.parametrize(("colours", "width"), [("light", 1400), ("dark", 1400), ("light", 390)])
@pytest.mark.parametrize("op", OPERATIONS)
def test_everything_is_accessible(browser: Any, pages: dict[str, Path], op: str, colours: str, width: int) -> None:
    accessible(browser, pages[op], colours, ("forward", "backward"), width)


def fits(browser: Any, path: Path, op: str, folder: Path) -> None:
    """Nothing is wider than the window, in either direction and in each tab; screenshots stay in `folder`."""
    opened = Opened(browser, path)
    page = opened.page
    for width in (390, 1024, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        for direction in ("forward", "backward"):
            page.locator(f"label[for={direction}]").click()
            for tab in page.locator("[role=tab]").all():
                tab.click()
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (width, direction)
            page.screenshot(path=folder / f"{op}-{direction}-{width}.png", full_page=True)
    opened.close()
    assert len(list(folder.iterdir())) == 6


def test_conv2d_fits_every_width(browser: Any, pages: dict[str, Path], tmp_path: Path) -> None:
    fits(browser, pages["conv2d"], "conv2d", tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("op", OPERATIONS[1:])
def test_everything_fits_every_width(browser: Any, pages: dict[str, Path], op: str, tmp_path: Path) -> None:
    fits(browser, pages[op], op, tmp_path)


def test_playing(browser: Any, pages: dict[str, Path]) -> None:
    opened = Opened(browser, pages["conv2d"])
    page = opened.page
    before = page.input_value("#position")
    page.click("#play")
    page.wait_for_function("before => document.getElementById('position').value !== before", arg=before)
    page.click("#play")
    assert page.get_attribute("#play", "aria-pressed") == "false"
    page.select_option("#pace", "product")
    page.click("#play")
    page.wait_for_function("() => window.explained.tap > 0")
    page.click("#play")
    opened.close()


def test_page_is_one_file() -> None:
    """Nothing in it comes from elsewhere, and no array can end its script."""
    state = example("conv2d")
    state["options"]["</script><b>"] = "</script>"
    page = render(state)
    assert page.count("<script") == 2
    assert page.count("</script>") == 2
    for word in ("src=", "@import", "url(", "fetch(", "http://", "https://"):
        assert word not in page
    assert "minicnn computed" not in page


def test_beware_of_other_numbers(browser: Any, tmp_path: Path) -> None:
    """The page compares its arithmetic with minicnn's numbers, and says so where they differ."""
    state = example("conv2d")
    path = tmp_path / "page.html"
    path.write_text(render(state), "utf-8")
    opened = Opened(browser, path)
    assert "agree in every digit" in opened.page.inner_text("#agreement")
    opened.close()
    state["results"]["output"]["values"][3] += 1
    path.write_text(render(state), "utf-8")
    opened = Opened(browser, path)
    assert opened.page.inner_text("#agreement").startswith("Beware")
    opened.close()


@pytest.mark.slow
def test_the_course_is_accessible_and_fits(browser: Any, tmp_path: Path) -> None:
    """The page of `minicnn learn --html`: axe finds nothing, no width is too small, and what is there to play plays."""
    (tmp_path / "course.html").write_text(render_course(), "utf-8")
    for colours in ("light", "dark"):
        context = browser.new_context(viewport={"width": 1100, "height": 900}, color_scheme=colours)
        page, errors = context.new_page(), []
        page.on("pageerror", lambda error, found=errors: found.append(str(error)))
        page.goto((tmp_path / "course.html").as_uri())
        assert violations(page) == []
        page.locator("#chapter-5 summary").first.click()
        page.frame_locator("#chapter-5 iframe").get_by_text("Backward", exact=True).first.click()
        for width in (390, 1024, 1920):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        context.close()
        assert errors == []
