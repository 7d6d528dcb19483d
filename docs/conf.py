"""How the documentation is built: `sphinx-build -W docs OUT`."""

import re

import minicnn

project = "minicnn"
author = "The minicnn team"
release = version = minicnn.__version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.doctest",
    "sphinx.ext.napoleon",
    "sphinx_gallery.gen_gallery",
]
suppress_warnings = ["ref.python"]  # several classes have an attribute `mean`
html_theme = "pydata_sphinx_theme"
html_title = "minicnn"
html_show_sourcelink = False
default_role = "literal"  # `name` in a docstring is code
exclude_patterns = ["examples/README.rst"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "none"
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"/",
    "image_scrapers": ("matplotlib",),
    "show_signature": False,
    "min_reported_time": 10,
}

doctest_global_setup = "import numpy as np, minicnn; from minicnn import nn; from minicnn.nn import functional as F"


def plain(app, what, name, obj, options, lines):
    """Keep what docstrings write in mathematics from being read as markup: |x|, a * b, x_."""
    for k, line in enumerate(lines):
        parts = re.split(r"(``.*?``|`.*?`)", line)
        parts[::2] = [re.sub(r"(?<![\\:])([*|]|_(?=\W|$))", r"\\\1", part) for part in parts[::2]]
        lines[k] = "".join(parts)


def setup(app):
    """Register what is above."""
    app.connect("autodoc-process-docstring", plain, priority=100)
