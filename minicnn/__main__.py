"""`python -m minicnn` is the command `minicnn`."""

from minicnn.cli import app

app(prog_name="minicnn")
