"""One random change of the page, as somebody makes it."""

import random
from typing import Any

from tests.page.reading import click, go_back, read

SETTINGS = """() => [...document.querySelectorAll('#settings input, #settings select')]
  .filter((field) => !field.disabled)
  .map(({ id, type, options }) => ({ id, type, options: [...(options ?? [])].map((option) => option.value) }))"""
RANGES = {"size": (1, 9), "kernel": (1, 4), "stride": (1, 3), "padding": (0, 2), "dilation": (1, 2), "images": (1, 3)}
RANGES |= {"output_padding": (0, 1), "channels": (1, 4), "outputs": (1, 4), "groups": (1, 2)}
RANGES |= {"rows": (1, 6), "classes": (2, 7), "divisor_override": (-2, 5), "ignore_index": (-1, 3)}
REAL = {"momentum": ("0", "0.1", "0.5", "1"), "eps": ("0.00001", "0.1", "1e-3"), "label_smoothing": ("0", "0.1", "1")}
NUMBERS = ("0", "1", "−2", "-3", "2.5", "0.25", "4", "-1.75")


def step(page: Any, op: str, chance: random.Random) -> str:
    """Change a setting, a number, the direction or all numbers. Returns what was done."""
    kind = chance.choices(("setting", "number", "direction", "new", "back", "tab"), (10, 5, 2, 1, 1, 2))[0]
    if kind == "setting":
        return change_setting(page, op, chance)
    if kind == "number":
        return change_number(page, op, chance)
    if kind == "direction":
        direction = chance.choice(("forward", "backward"))
        page.locator(f"label[for={direction}]").click()
        return direction
    if kind == "tab":
        chance.choice(page.locator("[role=tab]").all()).click()
        return "a tab"
    if kind == "back":
        if page.evaluate("history.length") > 2 and page.evaluate("location.hash"):
            go_back(page)
        return "back"
    page.click("#new")
    return "new numbers"


def change_setting(page: Any, op: str, chance: random.Random) -> str:
    field = chance.choice(page.evaluate(SETTINGS))
    name = field["id"]
    if field["type"] == "checkbox":
        page.locator(f"#{name}").click()
        return name
    if field["options"]:
        value = chance.choice(field["options"])
        page.select_option(f"#{name}", value)
        return f"{name} = {value}"
    value = number_for(name, chance)
    page.fill(f"#{name}", value)
    return f"{name} = {value}"


def number_for(name: str, chance: random.Random) -> str:
    """A value that mostly can be, and sometimes cannot."""
    part = name.removeprefix("set-").split("-")[0]
    if part in REAL:
        return chance.choice((*REAL[part], "x") if chance.random() < 0.1 else REAL[part])
    return chance.choice(("", "99999")) if chance.random() < 0.03 else str(chance.randint(*RANGES[part]))


def change_number(page: Any, op: str, chance: random.Random) -> str:
    panel = chance.choice(page.locator(".panel", has=page.locator("[aria-label*='can be changed']")).all())
    name = panel.get_attribute("data-name")
    k, _ = chance.choice(read(page)["cells"][name])
    text = str(chance.randint(0, 4)) if name == "target" else chance.choice(NUMBERS)
    if name == "running_var" or (op == "cross_entropy" and name == "weight"):
        text = text.lstrip("−-")
    click(page, name, k)
    page.keyboard.type(text)
    page.keyboard.press("Enter")
    return f"{name} {text}"
