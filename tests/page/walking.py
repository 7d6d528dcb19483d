"""One random change of the page, as somebody makes it."""

import random
from typing import Any

SETTINGS = """() => [...document.querySelectorAll('#settings input, #settings select')]
  .filter((field) => !field.disabled)
  .map(({ id, type, options }) => ({ id, type, options: [...(options ?? [])].map((option) => option.value) }))"""

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
            page.go_back()
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
    ranges = {
        "size": (1, 9),
        "kernel": (1, 4),
        "stride": (1, 3),
        "padding": (0, 2),
        "dilation": (1, 2),
        "output_padding": (0, 1),
    }
    ranges |= {
        "channels": (1, 4),
        "outputs": (1, 4),
        "groups": (1, 2),
        "images": (1, 3),
        "rows": (1, 6),
        "classes": (2, 7),
    }
    ranges |= {"divisor_override": (-2, 5), "ignore_index": (-1, 3)}
    if chance.random() < 0.03:
        return chance.choice(("", "99999")) if part not in ("momentum", "eps", "label_smoothing") else "x"
    if part in ranges:
        return str(chance.randint(*ranges[part]))
    return chance.choice(
        {"momentum": ("0", "0.1", "0.5", "1"), "eps": ("0.00001", "0.1", "1e-3"), "label_smoothing": ("0", "0.1", "1")}[
            part
        ]
    )


def change_number(page: Any, op: str, chance: random.Random) -> str:
    panels = [
        p
        for p in page.locator(".panel").all()
        if "can be changed" in (p.locator(".grid").first.get_attribute("aria-label") or "")
    ]
    panel = chance.choice(panels)
    cells = panel.locator(".cell[tabindex]")
    cell = cells.nth(chance.randrange(cells.count()))
    name = panel.get_attribute("data-name")
    text = str(chance.randint(0, 4)) if name == "target" else chance.choice(NUMBERS)
    if name == "running_var" or (op == "cross_entropy" and name == "weight"):
        text = text.lstrip("−-")
    cell.click()
    page.keyboard.type(text)
    page.keyboard.press("Enter")
    return f"{name} {text}"
