"""The operations, by family. Importing this fills the table."""

from . import arithmetic, graphs, losses, reductions, shapes, windows, writing

__all__ = ["arithmetic", "graphs", "losses", "reductions", "shapes", "windows", "writing"]
