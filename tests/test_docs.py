"""The documentation has a page for every module that a user imports names from."""

import importlib
import pkgutil
from pathlib import Path

import minicnn

PAGES = Path(__file__).parent.parent / "docs" / "api"
INSIDE = ("compat", "creation", "datasets.folder", "kernels", "learn", "nn.layers", "nn.tuples", "operators")
"""Rooms whose names are those of others: `minicnn.nn.layers` are `minicnn.nn`'s."""
PARTS = ("cuda.amp", "optim.optimizer", "serialization", "testing.", "utils.data.", "utils.images")


def test_every_public_module_has_a_page():
    missing = []
    for module in pkgutil.walk_packages(minicnn.__path__, "minicnn."):
        name = module.name.removeprefix("minicnn.")
        if "._" in module.name or name.startswith((*INSIDE, *PARTS, "cli", "methods", "__main__")):
            continue
        if hasattr(importlib.import_module(module.name), "__all__") and not (PAGES / f"{module.name}.rst").exists():
            missing.append(module.name)
    assert not missing
    index = (PAGES / "index.md").read_text()
    assert all(f"\n{page.stem}\n" in index for page in PAGES.glob("*.rst"))
