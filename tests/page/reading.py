"""What stands on the page, and what PyTorch says to it."""

import math
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

READ = """async () => {
  const waits = () => [...document.querySelectorAll('canvas')].some(({ grid }) => grid.stale());
  for (let frame = 0; waits() && frame < 60; frame++) await new Promise(requestAnimationFrame);
  const cells = {};
  for (const panel of document.querySelectorAll('.panel')) {
    cells[panel.dataset.name] = [...panel.querySelectorAll('canvas')]
      .flatMap(({ painted, grid }) => [...painted].filter(([k]) => grid.number(...grid.at(k)) === k))
      .map(([k, { text }]) => [k, text]).sort(([a], [b]) => a - b);
  }
  const settings = {};
  for (const field of document.querySelectorAll('#settings input, #settings select')) {
    settings[field.id.slice(4)] = field.type === 'checkbox' ? field.checked : field.value;
  }
  const arrays = {};
  const { S, R } = window.explained;
  for (const [name, array] of Object.entries({ ...S.arrays, ...R })) {
    if (array && array.values) arrays[name] = { shape: array.shape, values: Array.from(array.values, String) };
  }
  const text = (id) => document.getElementById(id).textContent;
  return { cells, settings, arrays, problem: text('problem'), call: text('call'), program: text('program'),
    sentence: text('sentence'), lines: text('lines'), mode: window.explained.mode };
}"""


def read(page: Any) -> dict[str, Any]:
    """Everything that the page shows; arrays as float64."""
    found = page.evaluate(READ)
    found["arrays"] = {name: number_array(array) for name, array in found["arrays"].items()}
    return found


BACK = """() => new Promise((done) => {
  window.addEventListener('popstate', () => setTimeout(done), { once: true });
  setTimeout(done, 5000);  // there is nothing to go back to
  history.back();
})"""


def go_back(page: Any) -> None:
    """Press the back button, and wait until the page has heard of it: it does so after the address has changed."""
    page.evaluate(BACK)


PAINTED = """([name, k]) => [...document.querySelectorAll(`[data-name=${name}] canvas`)].some(
  ({ painted }) => painted?.has(k))"""

POINT = """([name, k]) => {
  const canvas = [...document.querySelectorAll(`[data-name=${name}] canvas`)].find(({ painted }) => painted?.has(k));
  const { x, y } = canvas.painted.get(k);
  const box = canvas.getBoundingClientRect();
  const at = { bubbles: true, pointerType: 'mouse', clientX: box.left + x, clientY: box.top + y };
  canvas.dispatchEvent(new PointerEvent('pointermove', at));
}"""


def point(page: Any, name: str, k: int) -> None:
    """Move the pointer to number k of an array."""
    page.wait_for_function(PAINTED, arg=[name, k])
    page.evaluate(POINT, [name, k])


CLICK = """([name, k]) => {
  const canvas = [...document.querySelectorAll(`[data-name=${name}] canvas`)].find(({ painted }) => painted?.has(k));
  canvas.scrollIntoView({ block: 'center' });
  const { x, y } = canvas.painted.get(k);
  const grid = canvas.closest('.grid');
  grid.scrollLeft = x + canvas.offsetLeft - grid.clientWidth / 2;
  const box = canvas.getBoundingClientRect();
  return [box.left + x, box.top + y];
}"""


def click(page: Any, name: str, k: int) -> None:
    """Click at number k of an array."""
    page.wait_for_function(PAINTED, arg=[name, k])
    page.mouse.click(*page.evaluate(CLICK, [name, k]))


def number_array(array: dict[str, Any]) -> np.ndarray:
    """An array of JavaScript's numbers, written by JavaScript."""
    values = [float(value.replace("Infinity", "inf")) for value in array["values"]]
    return np.array(values, np.float64).reshape(array["shape"])


def pair(settings: dict[str, Any], name: str) -> tuple[int, int]:
    return int(settings[f"{name}-rows"]), int(settings[f"{name}-columns"])


def padding(settings: dict[str, Any]) -> Any:
    mode = settings["padding"]
    if mode in ("same", "valid"):
        return mode
    rows = int(settings["padding-rows"])
    return rows if mode == "number" else (rows, int(settings["padding-columns"]))


def expected(op: str, shown: dict[str, Any]) -> dict[str, np.ndarray]:
    """PyTorch's results in float64 for the numbers and the settings on the page."""
    settings, arrays = shown["settings"], shown["arrays"]
    parts = {"input", "target", "weight", "bias", "running_mean", "running_var"} & set(arrays)
    tensors = {name: torch.tensor(arrays[name]) for name in parts}
    learned = [n for n in ("input", "weight", "bias") if n in parts and (op, n) != ("cross_entropy", "weight")]
    for name in learned:
        tensors[name].requires_grad_()
    get = tensors.get
    x = tensors["input"]
    if op in ("conv2d", "conv_transpose2d"):
        stride, dilation, groups = pair(settings, "stride"), pair(settings, "dilation"), int(settings["groups"])
        around = (padding(settings),) if op == "conv2d" else (padding(settings), pair(settings, "output_padding"))
        last = (dilation, groups) if op == "conv2d" else (groups, dilation)
        output = getattr(F, op)(x, get("weight"), get("bias"), stride, *around, *last)
    elif op == "max_pool2d":
        window, stride, dilation = (pair(settings, name) for name in ("kernel", "stride", "dilation"))
        output = F.max_pool2d(x, window, stride, padding(settings), dilation, settings["ceil_mode"])
    elif op == "avg_pool2d":
        divisor = int(settings["divisor_override"]) or None
        counted = settings["count_include_pad"]
        window, stride = pair(settings, "kernel"), pair(settings, "stride")
        output = F.avg_pool2d(x, window, stride, padding(settings), settings["ceil_mode"], counted, divisor)
    elif op == "batch_norm":
        numbers = float(settings["momentum"]), float(settings["eps"])
        statistics = get("running_mean"), get("running_var")
        output = F.batch_norm(x, *statistics, get("weight"), get("bias"), settings["training"], *numbers)
    else:
        output = F.cross_entropy(
            x,
            tensors["target"].long(),
            get("weight"),
            ignore_index=int(settings["ignore_index"]),
            reduction=settings["reduction"],
            label_smoothing=float(settings["label_smoothing"]),
        )
    output.backward(torch.tensor(arrays["grad_output"]))
    results = {"output": output.detach().numpy()}
    results |= {f"grad_{name}": tensors[name].grad.numpy() for name in learned}
    if op == "batch_norm" and "running_mean" in parts:
        results |= {f"new_{name}": tensors[name].numpy() for name in ("running_mean", "running_var")}
    return results


def check(op: str, shown: dict[str, Any]) -> None:
    """The page's numbers are PyTorch's, and each cell's text is its number, rounded.

    Raises:
        AssertionError: where they are not.
    """
    results = expected(op, shown)
    assert set(results) <= set(shown["arrays"])
    for name, result in results.items():
        np.testing.assert_allclose(shown["arrays"][name], result, rtol=1e-11, atol=1e-11, err_msg=name)
    for name, cells in shown["cells"].items():
        values = results.get(name, shown["arrays"][name]).ravel()
        assert cells, name
        for k, text in cells:
            assert means(text, values[k]), (name, k, text, values[k])


def means(text: str, value: float) -> bool:
    """Whether a cell's text is this number, rounded to the digits that it has."""
    plain = text.replace("−", "-")
    if plain == "…":
        return True
    if plain in ("NaN", "∞", "-∞") or not math.isfinite(value):
        return str(float(plain.replace("∞", "inf"))) == str(float(value))
    mantissa, _, exponent = plain.partition("e")
    decimals = len(mantissa.partition(".")[2])
    scale = 10.0 ** int(exponent or 0)
    whole = "." not in mantissa and not exponent
    tolerance = 0.5 * 10.0**-decimals * scale
    return abs(float(mantissa) * scale - value) <= tolerance * (1 + 1e-9) + 1e-11 and not (
        whole and float(value).is_integer() and float(plain) != value
    )
