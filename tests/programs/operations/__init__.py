"""The operations, by family. Importing this fills the table."""

from . import arithmetic, graphs, losses, matrices, rearranging, reductions, selecting, shapes, windows, writing

__all__ = ["arithmetic", "graphs", "losses", "rearranging", "reductions", "shapes", "windows", "writing"]
from . import parts

__all__ = ["arithmetic", "graphs", "losses", "parts", "reductions", "shapes", "windows", "writing"]
__all__ = [
    "arithmetic",
    "graphs",
    "losses",
    "matrices",
    "rearranging",
    "reductions",
    "selecting",
    "shapes",
    "windows",
    "writing",
]
from . import optimizing

__all__ = ["arithmetic", "graphs", "losses", "optimizing", "rearranging", "reductions", "shapes", "windows", "writing"]
from . import arithmetic, graphs, losses, mathematics, reductions, shapes, windows, writing
from . import mathematics

__all__ = ["arithmetic", "graphs", "losses", "mathematics", "reductions", "shapes", "windows", "writing"]
