"""All figures of a network on one page of HTML that needs nothing else."""

import base64
from collections.abc import Sequence

from minicnn.inspect.figures import Drawn
from minicnn.palette import DARK, LIGHT


def render(title: str, facts: Sequence[tuple[str, str]], drawn: Sequence[Drawn]) -> str:
    """The page as text.

    Args:
        title: its heading.
        facts: pairs of a name and what it is, below the heading.
        drawn: the figures, which are embedded.
    """
    from jinja2 import Environment, PackageLoader

    environment = Environment(loader=PackageLoader("minicnn", "inspect"), autoescape=True)
    figures = [
        {"name": one.name, "title": one.title, "words": one.words, "data": base64.b64encode(one.png()).decode()}
        for one in drawn
    ]
    return environment.get_template("page.html").render(
        title=title, facts=facts, figures=figures, light=LIGHT, dark=DARK
    )
