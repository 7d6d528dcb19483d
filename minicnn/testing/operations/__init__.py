"""The operations that the judge knows."""

from minicnn.testing.operations.convolution import CONV2D
from minicnn.testing.operations.operation import Operation

OPERATIONS: dict[str, Operation] = {one.name: one for one in (CONV2D,)}
