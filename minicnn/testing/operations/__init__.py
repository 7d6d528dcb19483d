"""The operations that the judge knows."""

from minicnn.testing.operations.classes import CROSS_ENTROPY, LOG_SOFTMAX, SOFTMAX
from minicnn.testing.operations.convolution import CONV2D
from minicnn.testing.operations.elementwise import PAD, RELU
from minicnn.testing.operations.linear import LINEAR
from minicnn.testing.operations.normalization import BATCH_NORM, LAYER_NORM
from minicnn.testing.operations.operation import Operation
from minicnn.testing.operations.pooling import ADAPTIVE_AVG_POOL2D, AVG_POOL2D, MAX_POOL2D
from minicnn.testing.operations.transposed import CONV_TRANSPOSE2D
from minicnn.testing.operations.unfolding import FOLD, UNFOLD

OPERATIONS: dict[str, Operation] = {
    one.name: one
    for one in (
        CONV2D, CONV_TRANSPOSE2D, LINEAR, MAX_POOL2D, AVG_POOL2D, ADAPTIVE_AVG_POOL2D, BATCH_NORM, LAYER_NORM, RELU,
        SOFTMAX, LOG_SOFTMAX, CROSS_ENTROPY, PAD, UNFOLD, FOLD,
    )
}  # fmt: skip
