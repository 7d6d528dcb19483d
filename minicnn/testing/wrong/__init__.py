"""Wrong implementations, each with the name of its mistake: to recognise what people get wrong, and to judge judges.

Every mistake is right but for what its sentence says: values, dtypes, shapes, all options, NaN and infinities. To add
one, write it under `@mistake` in the file of its family, from the right parts in `parts`, and say in
tests/wrong_untouched.py where it makes no difference. Many are bugs that well-known libraries have had.
"""

from minicnn.testing.wrong import (
    convolution,
    convolution_channels,
    convolution_gradients,
    convolution_gradients_machine,
    convolution_machine,
    losses,
    normalization,
    padding,
    pooling,
    pooling_gradients,
    transposed,
    unfolding,
    vectors,
)
from minicnn.testing.wrong.mistake import Mistake, known_in

MISTAKES: tuple[Mistake, ...] = known_in(
    convolution,
    convolution_channels,
    convolution_machine,
    convolution_gradients,
    convolution_gradients_machine,
    transposed,
    vectors,
    pooling,
    pooling_gradients,
    normalization,
    losses,
    padding,
    unfolding,
)

__all__ = ["MISTAKES", "Mistake"]
