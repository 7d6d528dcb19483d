"""The course: build a convolutional network yourself, chapter by chapter, with a judge that names the mistake.

A chapter is a text (`texts`, Markdown whose figures are computed when it is shown), an exercise (`solutions`, of which
the learner gets signatures and docstrings) and what its judge needs (`chapters`). `minicnn learn` is the command.
"""

from minicnn.learn.chapter import Chapter
from minicnn.learn.chapters import CHAPTERS
from minicnn.learn.checking import Report, check
from minicnn.learn.exercise import stub
from minicnn.learn.text import markdown

__all__ = ["CHAPTERS", "Chapter", "Report", "check", "markdown", "stub"]
