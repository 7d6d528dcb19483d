"""Where a mistake makes no difference: by operation, direction and name, which cases it must answer rightly."""

from collections.abc import Callable
from typing import Any

import numpy as np
from wrong_cases import Case

from minicnn.testing.wrong.parts.windows import padding_widths, pair


def kernel(case: Case) -> tuple[int, int]:
    return case.arrays[1].shape[2:]


def option(case: Case, name: str) -> Any:
    return case.options.get(name, {"stride": 1, "dilation": 1, "padding": 0, "groups": 1}[name])


def square(name: str) -> Callable[[Case], bool]:
    """Whether an option is the same for height and width."""
    return lambda case: isinstance(option(case, name), str) or len(set(pair(option(case, name)))) == 1


def alone(name: str) -> Callable[[Case], bool]:
    """Whether an option is 1 for height and width."""
    return lambda case: pair(option(case, name)) == (1, 1)


def pointwise(case: Case) -> bool:
    return kernel(case) == (1, 1)


def unpadded(case: Case) -> bool:
    return not any(map(any, padding_widths(option(case, "padding"), kernel(case), option(case, "dilation"))))


def ungrouped(case: Case) -> bool:
    return option(case, "groups") == 1


def not_same(case: Case) -> bool:
    return option(case, "padding") != "same"


def even_same(case: Case) -> bool:
    return all(a == b for a, b in padding_widths(option(case, "padding"), kernel(case), option(case, "dilation")))


def unbiased(case: Case) -> bool:
    return case.arrays[2] is None


def images(most: int, least: int = 0) -> Callable[[Case], bool]:
    return lambda case: least <= len(case.arrays[0]) <= most


def whole(case: Case) -> bool:
    return all(np.array_equal(a, np.round(a)) for a in case.arrays if a is not None and np.isfinite(a).all())


def small(case: Case) -> bool:
    """Whether every partial sum is exact in float16 and in float32."""
    x, weight, _ = case.arrays
    limit = 2048 if np.isfinite(x).all() else 0
    return (
        whole(case) and 16 * weight[0].size + 4 < limit and 16 * x[:, 0].size < limit and np.abs(x).max(initial=0) < 5
    )


def disjoint(case: Case) -> bool:
    """Whether no two windows overlap."""
    spans = [(k - 1) * d + 1 for k, d in zip(kernel(case), pair(option(case, "dilation")), strict=True)]
    return all(s >= span for s, span in zip(pair(option(case, "stride")), spans, strict=True))


def finite(case: Case) -> bool:
    return all(a is None or np.isfinite(a).all() for a in case.arrays)


def normal(case: Case) -> bool:
    return all(a is None or not (np.abs(a[a != 0]) < np.finfo(a.dtype).tiny).any() for a in case.arrays)


def remainderless(case: Case) -> bool:
    """Whether the windows reach the end of the padded image."""
    widths = padding_widths(option(case, "padding"), kernel(case), option(case, "dilation"))
    return all(
        (n + sum(added) - (k - 1) * d - 1) % s == 0
        for n, added, k, d, s in zip(
            case.arrays[0].shape[2:],
            widths,
            kernel(case),
            pair(option(case, "dilation")),
            pair(option(case, "stride")),
            strict=True,
        )
    )


def row_major(case: Case) -> bool:
    return case.arrays[0].flags.c_contiguous


CONV2D = {
    "flipped_kernel": pointwise,
    "mirrored_kernel": lambda c: kernel(c)[1] == 1,
    "transposed_kernel": pointwise,
    "stride_and_dilation_swapped": lambda c: alone("stride")(c) and alone("dilation")(c),
    "stride_swapped": square("stride"),
    "first_stride_for_both": square("stride"),
    "size_rounded_up": remainderless,
    "padding_swapped": square("padding"),
    "padding_in_front": lambda c: isinstance(option(c, "padding"), str) or unpadded(c),
    "padded_with_border": unpadded,
    "circular": unpadded,
    "odd_pixel_in_front": lambda c: not_same(c) or even_same(c),
    "same_for_odd_kernels_only": lambda c: not_same(c) or even_same(c),
    "same_without_dilation": lambda c: not_same(c) or alone("dilation")(c),
    "same_with_dilation_swapped": lambda c: not_same(c) or square("dilation")(c),
    "dilation_swapped": square("dilation"),
    "taps_side_by_side": alone("dilation"),
    "five_rows_unrolled": lambda c: kernel(c)[0] <= 5,
    "groups_interleaved": ungrouped,
    "outputs_interleaved": ungrouped,
    "first_group_for_all": ungrouped,
    "kernel_ohwi": lambda c: pointwise(c) or c.arrays[1].shape[1] == 1,
    "kernel_iohw": lambda c: 1 in c.arrays[1].shape[:2],
    "kernel_of_first_channel": lambda c: c.arrays[1].shape[1] == 1,
    "mean_of_channels": lambda c: c.arrays[1].shape[1] == 1,
    "reshaped_for_transposed": lambda c: len(c.arrays[0]) == 1 or len(c.arrays[1]) == 1,
    "first_image_for_all": images(1),
    "no_bias": unbiased,
    "bias_per_row": unbiased,
    "bias_twice_on_border": unbiased,
    "bias_once_per_group": lambda c: unbiased(c) or ungrouped(c),
    "tail_of_channels_dropped": lambda c: c.arrays[1].shape[1] <= 16,
    "tail_of_outputs_zero": lambda c: len(c.arrays[1]) <= 8,
    "row_buffer_of_64": lambda c: c.arrays[0].shape[3] <= 64,
    "races_on_large_batches": images(15),
    "added_up_in_float16": small,
    "computed_in_float32": lambda c: c.arrays[0].dtype == np.float32,
    "returns_float64": lambda c: c.arrays[0].dtype == np.float64,
    "nan_is_zero": lambda c: not np.isnan(c.arrays[0]).any(),
    "subnormals_are_zero": normal,
    "strides_of_x_ignored": row_major,
}

CONV2D_GRADIENTS = {
    "assigned_in_col2im": disjoint,
    "averaged_in_col2im": disjoint,
    "kernel_flipped_once_more": pointwise,
    "channels_reshaped": lambda c: c.arrays[1].shape[1] == 1 or len(c.arrays[1]) == option(c, "groups"),
    "remainder_lost": remainderless,
    "cut_by_minus_padding": lambda c: all(
        map(all, padding_widths(option(c, "padding"), kernel(c), option(c, "dilation")))
    ),
    "cut_at_the_corner": unpadded,
    "spread_without_dilation": alone("dilation"),
    "odd_pixel_in_front": lambda c: not_same(c) or even_same(c),
    "weight_gradient_flipped": pointwise,
    "weight_gradient_without_stride": alone("stride"),
    "weight_gradient_without_border": unpadded,
    "weight_gradient_of_half_the_batch": images(1),
    "weight_gradient_divided_by_n": images(1),
    "weight_gradient_of_first_group": ungrouped,
    "bias_gradient_averaged": unbiased,
    "bias_gradient_of_first_image": lambda c: unbiased(c) or images(1)(c),
    "tail_of_outputs_dropped": lambda c: len(c.arrays[1]) <= 16,
    "weight_gradient_races": images(15),
    "weight_gradient_in_float16": small,
    "weight_gradient_in_float64": lambda c: c.arrays[0].dtype == np.float64,
    "bias_gradient_as_a_row": unbiased,
}

UNTOUCHED: dict[tuple[str, bool], dict[str, Callable[[Case], bool]]] = {
    ("conv2d", False): CONV2D,
    ("conv2d", True): CONV2D_GRADIENTS,
}
EVERYWHERE: dict[tuple[str, bool], set[str]] = {
    ("conv2d", False): {"one_window_too_few", "last_column_uninitialised", "kernel_overwritten", "buffer_reused"},
    ("conv2d", True): {"output_gradient_overwritten", "weight_gradient_kept"},
}
"""Mistakes that every case shows."""
