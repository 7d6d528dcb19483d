"""The whole course as one page: texts, exercises, hints behind a click, `minicnn explain` on the chapters' numbers."""

from jinja2 import Environment, PackageLoader
from markdown_it import MarkdownIt

import minicnn
from minicnn.learn.chapters import CHAPTERS
from minicnn.learn.exercise import stub
from minicnn.learn.text import markdown
from minicnn.palette import DARK, LIGHT

SCROLLING = '<pre tabindex="0" role="group" aria-label="Numbers">'
"""A block that the keyboard can scroll."""


def render() -> str:
    """One self-contained page of HTML; figures are computed now."""
    to_html = MarkdownIt("commonmark")
    chapters = [
        {
            "number": chapter.number,
            "title": chapter.title,
            "minutes": chapter.minutes,
            "text": to_html.render(markdown(chapter)).replace("<pre>", SCROLLING),
            "stub": stub(chapter),
            "file": chapter.file,
            "hints": chapter.hints,
            "widget": None if chapter.widget is None else chapter.widget().page(),
        }
        for chapter in CHAPTERS.values()
    ]
    environment = Environment(loader=PackageLoader("minicnn.learn", "."), autoescape=True)
    page = environment.get_template("page.html")
    return page.render(chapters=chapters, light=LIGHT, dark=DARK, version=minicnn.__version__)
