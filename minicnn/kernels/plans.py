"""Plans: what a kernel is told beside its arrays, by name.

A plan is made in Python as a NamedTuple of integers, once for a geometry, and kept as a flat array of them. A kernel
sees that array as one record, `plan = numbers.view(RECORD)[0]`, and names its fields: `plan.rows`. A call with a flat
array costs 0.25 µs, with an array of records 0.35, and with 30 numbers, or a tuple of them, several times that.
"""

from typing import Any

import numpy as np


def record(plan: Any) -> np.dtype:
    """The dtype as which a kernel sees an array of the integers of this NamedTuple class."""
    return np.dtype([(name, np.int64) for name in plan._fields])
