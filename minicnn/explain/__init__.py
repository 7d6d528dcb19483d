"""One operation shown on numbers, forward and backward: `minicnn explain` as objects.

    from minicnn import explain

    explain.conv2d([[1, 2, 0], [0, 1, 3], [2, 1, 1]], [[[[1, 0], [0, -1]]]]).print()

Each function takes what its namesake in `minicnn.nn.functional` takes and returns an `Explanation`: the numbers,
where the windows lie, results and gradients, all computed by minicnn.
The terminal, the page and the notebook read that object.
"""

from minicnn.explain.classes import cross_entropy
from minicnn.explain.convolution import conv2d
from minicnn.explain.explanation import Explanation
from minicnn.explain.normalization import batch_norm
from minicnn.explain.pooling import avg_pool2d, max_pool2d
from minicnn.explain.rewrites import rewrites
from minicnn.explain.schedule import schedule
from minicnn.explain.sizes import compare_sizes, sizes
from minicnn.explain.theory import Entropy, entropy
from minicnn.explain.transposed import conv_transpose2d

__all__ = [
    "Entropy",
    "Explanation",
    "avg_pool2d",
    "batch_norm",
    "compare_sizes",
    "conv2d",
    "conv_transpose2d",
    "cross_entropy",
    "entropy",
    "max_pool2d",
    "rewrites",
    "schedule",
    "sizes",
]
