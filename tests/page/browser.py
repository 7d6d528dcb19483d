"""A headless Chromium: the one that MINICNN_BROWSER names, the system's, or playwright's own."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
HOW = "install chromium, or run `playwright install chromium`, or name a browser in MINICNN_BROWSER"


RECORD = """
(() => {
  // What was painted last at each place of a canvas whose numbers can be pointed at: {text, back}.
  const { fillRect, fillText } = CanvasRenderingContext2D.prototype;
  const at = ({ canvas }, x, y) => {
    const k = canvas.numberAt?.(x, y);
    if (k === undefined) return {};
    canvas.painted ??= new Map();
    if (!canvas.painted.has(k)) canvas.painted.set(k, {});
    return canvas.painted.get(k);
  };
  window.filled = 0;
  Object.assign(CanvasRenderingContext2D.prototype, {
    fillRect(x, y, width, height) {
      window.filled++;
      Object.assign(at(this, x + width / 2, y + height / 2), { back: this.fillStyle, size: width });
      fillRect.call(this, x, y, width, height);
    },
    fillText(text, x, y) {
      Object.assign(at(this, x, y - 0.5), { text, fore: this.fillStyle, x, y });
      fillText.call(this, text, x, y);
    },
  });
})();
"""
"""Kept from the page's own painting: tests read the numbers that are on the screen, and nothing else."""


@contextmanager
def launched() -> Iterator[Any]:
    """A browser. Skips the test, with a sentence, where playwright or a browser is missing."""
    api = pytest.importorskip(
        "playwright.sync_api", reason='the page is tested with playwright: pip install ".[browser]"'
    )
    with api.sync_playwright() as playwright:
        own = playwright.chromium.executable_path
        path = os.environ.get("MINICNN_BROWSER") or next(filter(None, map(shutil.which, NAMES)), own)
        if not Path(path).is_file():
            pytest.skip(f"there is no browser to test the page in: {HOW}")
        browser = playwright.chromium.launch(executable_path=path)
        yield browser
        browser.close()


class Opened:
    """A page in a browser of its own, and what went wrong in it.

    Attributes:
        page: playwright's.
        errors: messages of the console above "info", and exceptions.
        requests: what the page asked for, beside itself.
    """

    def __init__(self, browser: Any, path: Path, address: str = "", **options: Any) -> None:
        self.context = browser.new_context(**{"viewport": {"width": 1400, "height": 5000}, **options})
        self.context.add_init_script(RECORD)
        self.page = self.context.new_page()
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.context.on("request", self._asked)
        self.url = path.as_uri()
        self.page.goto(self.url + address)
        self.page.evaluate("document.getElementById('whole').open = true")  # so that the program is written

    def _said(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def _asked(self, request: Any) -> None:
        if request.url.split("#")[0] != self.url:
            self.requests.append(request.url)

    def close(self) -> None:
        """Close it; nothing may have gone wrong and nothing may have been asked for."""
        self.context.close()
        assert self.errors == []
        assert self.requests == []
