"""Random programs, run by minicnn and by PyTorch: a fuzzer of whole graphs.

| file | what is there |
| --- | --- |
| `table` | what an operation of the table is, and how to add one |
| `operations/` | the operations, by family |
| `draft` | a program while it is drawn, line by line, each run on PyTorch at once |
| `drawing` | a program from a seed |
| `running` | a program run on either library, and what it leaves |
| `comparing` | whether both leave the same |
| `shrinking` | a differing program made short |
| `regressions` | programs that once differed |
| `__main__` | `python -m tests.programs --seconds 1800` |
"""

from .comparing import Difference, difference
from .drawing import Program, program_of
from .shrinking import shrink
from .table import OPERATIONS

__all__ = ["OPERATIONS", "Difference", "Program", "difference", "program_of", "shrink"]
