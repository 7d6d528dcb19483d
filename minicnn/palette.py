"""The colours of all pictures and pages, in one place."""

OURS = "#d1495b"
OURS_LIGHT = "#eba5ad"
THEIRS = "#8a8f98"
THEIRS_LIGHT = "#c3c6cc"
INK = "#2b2d42"
GRID = "#e6e7eb"

LIGHT = {
    "paper": "#f7f6f3",
    "card": "#ffffff",
    "ink": INK,
    "quiet": "#5a5e70",
    "line": "#d9dae1",
    "image": "#b02a44",
    "image-tint": "#fbdfe4",
    "weight": "#245a8c",
    "weight-tint": "#dbe9f7",
    "result": "#00666d",
    "result-tint": "#d3eeee",
    "notice": "#7c5200",
    "notice-tint": "#fdeac2",
}
"""A page by day: text and tint of the image (and its window), the weight, the result, and of what is to be noticed."""

DARK = {
    "paper": "#14151c",
    "card": "#1d1f2a",
    "ink": "#e9eaf1",
    "quiet": "#abaebd",
    "line": "#3a3d4d",
    "image": "#ff9dac",
    "image-tint": "#552634",
    "weight": "#92c5f2",
    "weight-tint": "#1f3c58",
    "result": "#74d6d2",
    "result-tint": "#124448",
    "notice": "#f4c96d",
    "notice-tint": "#4b3a12",
}
"""The same by night."""
