"""Where a mistake makes no difference: by operation, direction and name, which cases it must answer rightly."""

from collections.abc import Callable
from typing import Any

import numpy as np
from wrong_cases import Case

from minicnn.testing.wrong.parts import pooling
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


def default(name: str, value: Any) -> Callable[[Case], bool]:
    """Whether an option is left at its default."""
    return lambda case: case.options.get(name, value) == value


def either(*conditions: Callable[[Case], bool]) -> Callable[[Case], bool]:
    return lambda case: any(condition(case) for condition in conditions)


def alike(name: str) -> Callable[[Case], bool]:
    """Whether an option of a pair is the same for height and width, or left out."""
    return lambda case: len(set(pair(case.options.get(name, 0)))) == 1


def no_extra(case: Case) -> bool:
    return pair(case.options.get("output_padding", 0)) == (0, 0)


def no_padding(case: Case) -> bool:
    return pair(case.options.get("padding", 0)) == (0, 0)


def single_channels(case: Case) -> bool:
    """Whether every group has one channel, or one output."""
    C, O = case.arrays[1].shape[:2]
    return O == 1 or option(case, "groups") == C


def counts_exactly(case: Case) -> bool:
    """Whether the windows of a pooling end within the padded image."""
    size, k = case.arrays[0].shape[2:], case.options["kernel_size"]
    rest = (case.options.get("stride") or k, case.options.get("padding", 0), case.options.get("dilation", 1))
    down = pooling.counts(size, k, *rest, False)
    return pooling.counts(size, k, *rest, True) == down


def without_ceil(case: Case) -> bool:
    return not case.options.get("ceil_mode", False) or counts_exactly(case)


def reaches_the_end(case: Case) -> bool:
    """Whether the windows of a pooling leave no row and no column over."""
    k = case.options["kernel_size"]
    rest = case.options.get("stride") or k, case.options.get("padding", 0), case.options.get("dilation", 1)
    axes = zip(case.arrays[0].shape[2:], *map(pair, (k, *rest)), strict=True)
    return all((n + 2 * p - d * (k - 1) - 1) % s == 0 for n, k, s, p, d in axes)


def one_line_of_windows(case: Case) -> bool:
    """Whether the windows of an unfold stand in one row or one column."""
    o = {"stride": 1, "padding": 0, "dilation": 1} | case.options
    size = case.arrays[0].shape[2:]
    return 1 in pooling.counts(size, o["kernel_size"], o["stride"], o["padding"], o["dilation"])


def no_ties(case: Case) -> bool:
    x = case.arrays[0]
    return all(len(set(image.ravel().tolist())) == image.size for images in x for image in images)


def apart(case: Case) -> bool:
    """Whether the windows of a pooling or an unfold do not overlap."""
    kernel, dilation = pair(case.options["kernel_size"]), pair(case.options.get("dilation", 1))
    stride = pair(case.options.get("stride", 1 if "output_size" in case.options else None) or kernel)
    return all(s >= (k - 1) * d + 1 for s, k, d in zip(stride, kernel, dilation, strict=True))


def divides(case: Case) -> bool:
    """Whether adaptive windows are all of one size."""
    sizes = zip(case.arrays[0].shape[2:], pair(case.options["output_size"]), strict=True)
    return all(o is None or n % o == 0 for n, o in sizes)


def evaluating(case: Case) -> bool:
    return not case.options.get("training", False)


def no_weight(place: int) -> Callable[[Case], bool]:
    return lambda case: case.arrays[place] is None


def along_last(case: Case) -> bool:
    x, dim = case.arrays[0], case.options["dim"]
    return dim in (-1, x.ndim - 1)


def classes(case: Case) -> bool:
    return case.arrays[1].dtype.kind != "f"


def nothing_ignored(case: Case) -> bool:
    return not classes(case) or not (case.arrays[1] == case.options.get("ignore_index", -100)).any()


def not_the_mean(case: Case) -> bool:
    return case.options.get("reduction", "mean") != "mean"


def mode_is_not(*modes: str) -> Callable[[Case], bool]:
    return lambda case: case.options.get("mode", "constant") not in modes or not any(case.options["pad"])


def at_most(count: int, axis: int) -> Callable[[Case], bool]:
    return lambda case: case.arrays[0].shape[axis] <= count


TRANSPOSED = {
    "output_padding_in_front": no_extra,
    "output_padding_of_zeros": no_extra,
    "output_padding_swapped": alike("output_padding"),
    "padding_added": no_padding,
    "stride_swapped": square("stride"),
    "zeros_behind_the_last_pixel": alone("stride"),
    "flipped_kernel": pointwise,
    "kernel_oihw": single_channels,
    "assigned": lambda c: disjoint(c) and pair(option(c, "dilation")) == (1, 1),
    "bias_under_windows_alone": either(unbiased, lambda c: alone("stride")(c) and alone("dilation")(c) and no_extra(c)),
}
TRANSPOSED_GRADIENTS = {
    "gradient_shifted": no_extra,
    "gradient_with_flipped_kernel": pointwise,
    "weight_gradient_flipped": pointwise,
    "bias_gradient_without_output_padding": either(unbiased, no_extra),
}
MAX_POOL = {
    "zero_padding": lambda c: no_padding(c) and without_ceil(c),
    "starts_from_flt_min": lambda c: (c.arrays[0] > 0).all() and c.arrays[0].size > 0,
    "starts_from_lowest": finite,
    "nan_swallowed": lambda c: not np.isnan(c.arrays[0]).any(),
    "stride_of_one": lambda c: "stride" in c.options,
    "kernel_swapped": alike("kernel_size"),
    "ceil_mode_ignored": without_ceil,
    "window_behind_the_image": either(default("ceil_mode", False), reaches_the_end),
    "dilation_ignored": either(default("dilation", (1, 1)), default("dilation", 1)),
    "tail_of_channels_zero": at_most(8, 1),
    "returns_its_input": lambda c: pair(c.kernel_size) != (1, 1),
}
MAX_POOL_GRADIENTS = {
    "last_tie": no_ties,
    "first_tie_by_column": either(no_ties, lambda c: 1 in pair(c.kernel_size)),
    "every_tie": no_ties,
    "shared_between_ties": no_ties,
    "assigned": apart,
    "place_in_padded_image": no_padding,
    "in_float64": lambda c: c.arrays[0].dtype == np.float64,
}
OVERRIDDEN = lambda c: c.options.get("divisor_override") is not None  # noqa: E731
AVG_POOL = {
    "overhang_counted": either(without_ceil, OVERRIDDEN, lambda c: not c.options.get("count_include_pad", True)),
    "padding_always_counted": either(default("count_include_pad", True), OVERRIDDEN),
    "padding_never_counted": either(no_padding, OVERRIDDEN, lambda c: not c.options.get("count_include_pad", True)),
    "divisor_override_ignored": default("divisor_override", None),
    "divisor_override_forgotten": either(default("divisor_override", None), default("count_include_pad", True)),
    "running_sums": lambda c: finite(c) and whole(c),
}
AVG_POOL_GRADIENTS = {
    "overhang_counted": either(without_ceil, OVERRIDDEN, lambda c: not c.options.get("count_include_pad", True)),
    "padding_always_counted": either(default("count_include_pad", True), OVERRIDDEN),
    "not_divided": lambda c: c.options.get("divisor_override") == 1,
}
ADAPTIVE = {
    "ends_rounded_down": divides,
    "windows_of_one_size": divides,
    "output_size_swapped": lambda c: len(set(pair(c.output_size))) == 1 and c.output_size is not None,
}
ADAPTIVE_GRADIENTS = {"divided_by_mean_size": divides, "adaptive_assigned": divides}
BATCH_NORM = {
    "running_variance_biased": either(evaluating, no_weight(1)),
    "momentum_reversed": either(evaluating, no_weight(1), lambda c: c.options.get("momentum") == 0.5),
    "statistics_kept": either(evaluating, no_weight(1)),
    "unbiased_variance": evaluating,
    "always_training": lambda c: not evaluating(c),
    "every_image_by_itself": evaluating,
}
BATCH_NORM_GRADIENTS = {
    "statistics_constant": evaluating,
    "variance_constant": evaluating,
    "weight_forgotten": no_weight(3),
    "weight_gradient_of_x": no_weight(3),
}
LAYER_NORM = {
    "last_dimension_alone": lambda c: len(c.normalized_shape) == 1,
    "layer_without_weight_and_bias": lambda c: c.arrays[1] is c.arrays[2] is None,
}
LAYER_NORM_GRADIENTS = {
    "layer_weight_gradient_averaged": either(no_weight(1), lambda c: c.arrays[0].ndim == len(c.normalized_shape)),
}
LINEAR = {
    "weight_not_transposed": lambda c: 1 in c.arrays[1].shape,
    "bias_on_first_row": either(unbiased, lambda c: c.arrays[0].ndim == 1),
    "dimensions_flattened": lambda c: c.arrays[0].ndim == 2,
    "tail_of_inputs_dropped": at_most(8, -1),
}
LINEAR_GRADIENTS = {
    "weight_gradient_averaged": lambda c: c.arrays[0].ndim == 1,
    "weight_gradient_transposed": lambda c: c.arrays[1].shape == (1, 1),
    "bias_gradient_of_first_dimension": either(unbiased, lambda c: c.arrays[0].ndim == 2 and whole(c)),
}
RELU = {
    "nan_becomes_zero": lambda c: not np.isnan(c.arrays[0]).any(),
    "in_place": lambda c: (c.arrays[0] > 0).all(),
    "returns_its_input": lambda c: not (c.arrays[0] >= 0).all(),
    "cut_off_at_six": lambda c: not (c.arrays[0] > 6).any(),
}
RELU_GRADIENTS = {"one_at_zero": lambda c: (c.arrays[0] != 0).all()}
SOFTMAX = {"last_dimension": along_last}
SOFTMAX_GRADIENTS = {"gradient_of_last_dimension": along_last}
LOG_SOFTMAX = {"log_last_dimension": along_last}
CROSS_ENTROPY = {
    "ignored_targets_counted": either(nothing_ignored, not_the_mean),
    "only_minus_100_ignored": default("ignore_index", -100),
    "smoothed_over_the_others": default("label_smoothing", 0.0),
    "ignored_targets_smoothed": either(nothing_ignored, default("label_smoothing", 0.0)),
    "weights_not_normalised": either(not_the_mean, no_weight(2), lambda c: not classes(c)),
    "smoothing_without_weights": either(no_weight(2), default("label_smoothing", 0.0)),
    "divided_by_images": either(not_the_mean, lambda c: c.arrays[0].ndim <= 2),
}
CROSS_ENTROPY_GRADIENTS = {
    "mean_not_divided": not_the_mean,
    "divided_by_all_targets": either(not_the_mean, lambda c: nothing_ignored(c) and no_weight(2)(c)),
    "ignored_positions_pushed": nothing_ignored,
    "gradient_without_smoothing": default("label_smoothing", 0.0),
}
PAD = {
    "border_repeated": mode_is_not("reflect"),
    "circular_from_the_wrong_side": mode_is_not("circular"),
    "opposite_border": mode_is_not("replicate"),
    "first_dimension_first": lambda c: len(c.pad) == 2 or c.pad[:2] == c.pad[2:],
    "sides_swapped": lambda c: all(c.pad[i] == c.pad[i + 1] for i in range(0, len(c.pad), 2)),
    "value_ignored": default("value", None),
    "negative_widths_ignored": lambda c: min(c.pad) >= 0,
}
PAD_GRADIENTS = {
    "copies_give_nothing_back": mode_is_not("reflect", "replicate", "circular"),
    "copies_overwrite": mode_is_not("reflect", "replicate", "circular"),
}
ONE_PIXEL = either(default("kernel_size", (1, 1)), default("kernel_size", 1))
UNFOLD = {
    "columns_with_channels_innermost": either(ONE_PIXEL, at_most(1, 1)),
    "columns_down_the_kernel": lambda c: 1 in pair(c.kernel_size),
    "windows_down_the_image": one_line_of_windows,
    "stride_and_dilation_swapped": lambda c: pair(c.options.get("stride", 1)) == pair(c.options.get("dilation", 1)),
    "padding_swapped": alike("padding"),
}
UNFOLD_GRADIENTS = {"gradient_assigned": apart}
FOLD = {
    "assigned": apart,
    "averaged": apart,
    "fold_with_channels_innermost": lambda c: c.arrays[0].shape[1] == np.prod(pair(c.kernel_size)),
    "cut_at_the_corner": no_padding,
}
FOLD_GRADIENTS = {"gradient_divided": apart}

UNTOUCHED: dict[tuple[str, bool], dict[str, Callable[[Case], bool]]] = {
    ("conv2d", False): CONV2D,
    ("conv2d", True): CONV2D_GRADIENTS,
    ("conv_transpose2d", False): TRANSPOSED,
    ("conv_transpose2d", True): TRANSPOSED_GRADIENTS,
    ("linear", False): LINEAR,
    ("linear", True): LINEAR_GRADIENTS,
    ("max_pool2d", False): MAX_POOL,
    ("max_pool2d", True): MAX_POOL_GRADIENTS,
    ("avg_pool2d", False): AVG_POOL,
    ("avg_pool2d", True): AVG_POOL_GRADIENTS,
    ("adaptive_avg_pool2d", False): ADAPTIVE,
    ("adaptive_avg_pool2d", True): ADAPTIVE_GRADIENTS,
    ("batch_norm", False): BATCH_NORM,
    ("batch_norm", True): BATCH_NORM_GRADIENTS,
    ("layer_norm", False): LAYER_NORM,
    ("layer_norm", True): LAYER_NORM_GRADIENTS,
    ("relu", False): RELU,
    ("relu", True): RELU_GRADIENTS,
    ("softmax", False): SOFTMAX,
    ("softmax", True): SOFTMAX_GRADIENTS,
    ("log_softmax", False): LOG_SOFTMAX,
    ("cross_entropy", False): CROSS_ENTROPY,
    ("cross_entropy", True): CROSS_ENTROPY_GRADIENTS,
    ("pad", False): PAD,
    ("pad", True): PAD_GRADIENTS,
    ("unfold", False): UNFOLD,
    ("unfold", True): UNFOLD_GRADIENTS,
    ("fold", False): FOLD,
    ("fold", True): FOLD_GRADIENTS,
}
EVERYWHERE: dict[tuple[str, bool], set[str]] = {
    ("conv2d", False): {"one_window_too_few", "last_column_uninitialised", "kernel_overwritten", "buffer_reused"},
    ("conv2d", True): {"output_gradient_overwritten", "weight_gradient_without_last_row", "weight_gradient_kept"},
    ("batch_norm", False): {"eps_outside_the_root", "input_overwritten"},
    ("layer_norm", False): {"layer_eps_outside_the_root", "layer_unbiased"},
    ("layer_norm", True): {"layer_statistics_constant"},
    ("relu", True): {"sign_of_the_gradient", "derivative_alone"},
    ("softmax", False): {"without_maximum", "maximum_of_everything", "sum_with_eps"},
    ("softmax", True): {"diagonal_alone"},
    ("log_softmax", False): {"logarithm_of_softmax", "logarithm_with_eps"},
    ("log_softmax", True): {"gradients_add_up_to_one"},
    ("cross_entropy", False): {"softmax_twice", "logarithm_after_softmax"},
    ("cross_entropy", True): {"output_gradient_forgotten"},
}
"""Mistakes of which any case may show something."""
