"""A test of the tests: known bugs are planted, and the suite must notice each."""

from dataclasses import replace

import numpy as np
import pytest
import test_autograd
import test_batch_norm
import test_contraction
import test_convolution
import test_loss
import test_optim
import test_pooling
from hypothesis import Phase, settings

import minicnn
import minicnn.nn.functional as F
from minicnn import kernels
from minicnn.autograd import graph, leaves
from minicnn.kernels import geometry
from minicnn.kernels.convolution import (
    bordered,
    contraction,
    fft,
    grouped,
    grouped_weight,
    grouped_window,
    grouped_window_weight,
    im2col,
    implicit,
    packed,
    plan,
    rewrites,
    schedule,
    tiled,
    weight_gradient,
    weight_schedule,
    winograd,
)
from minicnn.kernels.machine import lanes
from minicnn.nn.functional import convolution, normalization
from minicnn.testing import check_conv2d, check_max_pool2d

QUICK = {"phases": (Phase.generate,), "database": None, "report_multiple_bugs": False, "max_examples": 2000}


@pytest.fixture(autouse=True)
def fail_fast(monkeypatch):
    """Generate cases until one fails, and don't shrink it: any failure will do."""
    before = settings.get_current_profile_name()
    settings.register_profile("mutants", parent=settings.get_profile(before), **QUICK)
    settings.load_profile("mutants")  # for what the checks decorate when they are called
    for module in (
        test_autograd,
        test_batch_norm,
        test_contraction,
        test_convolution,
        test_loss,
        test_optim,
        test_pooling,
    ):
        for test in vars(module).values():
            own = getattr(test, "_hypothesis_internal_use_settings", None)  # taken when the module was imported
            if own is not None:
                monkeypatch.setattr(test, "_hypothesis_internal_use_settings", settings(own, **QUICK))
    yield
    settings.load_profile(before)


@pytest.fixture(autouse=True)
def nothing_remembered():
    """Plans are kept; those of the code as it is must not hide a bug, nor those of a bug outlive it."""
    forget()
    yield
    forget()


def forget():
    for module in (geometry, kernels.pooling, plan, schedule, weight_gradient, convolution):
        for value in vars(module).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()


def max_pool_padded_with_zero(patch):
    original = kernels.pooling.max_forward

    def forward(x, g):
        h, w = g.height, g.width
        padded = np.pad(x, ((0, 0), (h.before, h.after), (w.before, w.after), (0, 0)))
        inner = geometry.pooling_geometry(
            padded.shape[1:3], g.kernel, (h.stride, w.stride), 0, (h.dilation, w.dilation)
        )
        y, where = original(padded, inner)
        rows, columns = where // padded.shape[2] - h.before, where % padded.shape[2] - w.before
        return y, np.clip(rows, 0, h.size - 1) * w.size + np.clip(columns, 0, w.size - 1)

    patch.setattr(kernels.pooling, "max_forward", forward)


def max_pool_takes_the_last_of_equal_values(patch):
    def forward(x, g):
        _, H, W, _ = x.shape
        y = np.full((len(x), *g.output_size, x.shape[3]), -np.inf, x.dtype)
        where = np.zeros(y.shape, np.int32)
        for p, q in np.ndindex(*g.kernel):
            rows = np.arange(g.height.output) * g.height.stride - g.height.before + p * g.height.dilation
            columns = np.arange(g.width.output) * g.width.stride - g.width.before + q * g.width.dilation
            inside = np.logical_and.outer((rows >= 0) & (rows < H), (columns >= 0) & (columns < W))
            values = x[:, rows.clip(0, H - 1)][:, :, columns.clip(0, W - 1)]
            wins = inside[None, :, :, None] & ((values >= y) | np.isnan(values))
            y = np.where(wins, values, y)
            where = np.where(wins, np.add.outer(rows * W, columns)[None, :, :, None], where)
        return y, where.astype(np.int32)

    patch.setattr(kernels.pooling, "max_forward", forward)


def pool_gradient_by_assignment(patch):
    def scatter(values, where, size, geometry=None):
        N, _, _, C = values.shape
        image = np.zeros((N, size[0] * size[1], C), values.dtype)
        np.put_along_axis(image, where.reshape(N, -1, C).astype(np.int64), values.reshape(N, -1, C), 1)
        return image.reshape(N, *size, C)

    patch.setattr(kernels.pooling, "scatter", scatter)


def graph_gradient_by_assignment(patch):
    def accumulate(tensor, gradient):
        tensor._grad = graph.Variable._computed(gradient)

    patch.setattr(leaves, "accumulate", accumulate)


def col2im_by_assignment(patch):
    def col2im(patches, g):
        rows, columns = g.height, g.width
        N, OH, OW, KH, KW, C = patches.shape
        image = np.zeros((N, rows.padded, columns.padded, C), patches.dtype)
        for p in range(KH):
            for q in range(KW):
                i, j = p * rows.dilation, q * columns.dilation
                image[:, i : i + OH * rows.stride : rows.stride, j : j + OW * columns.stride : columns.stride] = (
                    patches[:, :, :, p, q]
                )
        return image[:, rows.before : rows.before + rows.size, columns.before : columns.before + columns.size].copy()

    patch.setattr(im2col, "col2im", col2im)


def weight_gradient_from_the_unpadded_input(patch):
    original = im2col.grad_weight

    def grad_weight(x, g, shape, groups):
        x = x.copy()
        h, w = shape.height, shape.width
        if h.before or w.before:  # as if the border had never been seen
            x[:, : h.before] = 0
            x[:, :, : w.before] = 0
        return original(x, g, shape, groups)

    patch.setattr(im2col, "grad_weight", grad_weight)


def same_padding_puts_the_odd_cell_first(patch):
    original = geometry._convolution_geometry

    def resolve(*arguments):
        g = original(*arguments)
        flip = [
            geometry.Axis(a.size, a.kernel, a.stride, a.dilation, a.after, a.before, a.output)
            for a in (g.height, g.width)
        ]
        return geometry.Geometry(*flip)

    patch.setattr(geometry, "_convolution_geometry", resolve)


def windows_tile_the_image_whatever_the_padding(patch):
    def tiles_image(g):
        axes = (g.height, g.width)
        return all(a.kernel == a.extent == a.stride and a.output * a.stride == a.size for a in axes)

    patch.setattr(kernels.pooling, "tiles_image", tiles_image)


def pointwise_whatever_the_output_padding(patch):
    take_for_pointwise(patch, schedule)


def pointwise_whatever_the_output_padding_for_the_weight(patch):
    take_for_pointwise(patch, weight_schedule)


def take_for_pointwise(patch, module):
    """Flatten whatever sees one pixel each, also where there are pixels that no window reaches."""
    original = rewrites.flatten

    def flatten(c, width):
        rows, columns = (
            one._replace(size=min(one.size, one.positions), positions=min(one.size, one.positions))
            for one in (c.rows, c.columns)
        )
        return original(c._replace(rows=rows, columns=columns), min(width, c.N * rows.size * columns.size))

    def is_pointwise(c):
        side_by_side = c.y.column == c.G * c.O and c.x.column == c.G * c.C
        return side_by_side and all((one.taps, one.stride, one.first) == (1, 1, 0) for one in (c.rows, c.columns))

    patch.setattr(module, "is_pointwise", is_pointwise)
    patch.setattr(module, "flatten", flatten)


def the_first_tap_takes_the_weights_of_the_last(patch):
    original = plan.forward_plan

    def forward_plan(*arguments, **options):
        made = original(*arguments, **options)
        numbers = made.numbers.copy()
        numbers[plan.FIELDS] = numbers[-1]
        return made._replace(numbers=numbers)

    patch.setattr(implicit, "forward_plan", forward_plan)


def the_last_lane_of_a_block_is_not_packed(patch):
    original = implicit._run

    def run(x, weight, bias, y, made, counts=False):
        if weight.ndim == 4 and len(weight) > lanes(x.dtype) and len(weight) % lanes(x.dtype):
            weight = weight.copy("K")
            weight[-1] = 0
        return original(x, weight, bias, y, made, counts)

    patch.setattr(implicit, "_run", run)


def phases_take_their_taps_backwards(patch):
    original = rewrites.phases

    def phases(reach):
        return [
            one._replace(tap=one.tap + (one.reach.taps - 1) * one.tap_step, tap_step=-one.tap_step)
            for one in original(reach)
        ]

    patch.setattr(rewrites, "phases", phases)


def a_vector_of_several_pixels_keeps_the_weights_of_the_first(patch):
    original = rewrites.widen

    def widen(weight, pixels, stride):
        wide = original(weight, pixels, stride)
        wide[..., len(weight) :] = 0
        return wide

    patch.setattr(implicit, "widen", widen)


def a_weight_gradient_folds_the_first_of_several_pixels_only(patch):
    def narrow(wide, pixels, stride):
        KH, columns, C, _ = wide.shape
        return wide.reshape(KH, columns, C, pixels, -1)[:, : columns - (pixels - 1) * stride, :, 0]

    patch.setattr(weight_gradient, "narrow", narrow)


def a_flattened_layer_reads_its_first_row_only(patch):
    original = rewrites.flatten

    def flatten(c, width):
        made = original(c, width)
        return made._replace(x=made.x._replace(row=0))

    for module in (schedule, weight_schedule):
        patch.setattr(module, "flatten", flatten)


def windows_begin_without_the_padding(patch):
    patch.setattr(contraction.Reach, "of", classmethod(
        lambda cls, axis: cls(axis.size, 0, axis.output, axis.kernel, axis.stride, axis.dilation)
    ))  # fmt: skip


def a_weight_gradient_forgets_the_last_image_of_a_line(patch):
    original = weight_gradient._images_within

    def images_within(x, by_pixel):
        original(x, by_pixel)
        by_pixel[:, :, -1] = 0

    patch.setattr(weight_gradient, "_images_within", images_within)


def winograd_starts_at_the_other_axis(patch):
    original = winograd._run

    def run(x, weight, bias, size, corner):
        return original(x, weight, bias, size, corner[::-1])

    patch.setattr(winograd, "_run", run)


def fft_convolves_where_it_should_correlate(patch):
    original = fft._kernel
    patch.setattr(fft, "_kernel", lambda weight, g: original(weight, g).conj())


def fft_wraps_around(patch):
    patch.setattr(fft, "_sizes", lambda g: (g.height.padded, max(g.width.size + g.width.before, g.width.padded - 1)))


def groups_in_the_wrong_order(patch):
    original = im2col.forward

    def forward(x, weight, bias, g):
        groups = x.shape[3] // weight.shape[1]
        parts = np.split(x, groups, axis=3)
        return original(np.ascontiguousarray(np.concatenate(parts[::-1], axis=3)), weight, bias, g)

    patch.setattr(im2col, "forward", forward)


def a_tile_forgets_its_last_step(patch):
    original = tiled._by_rows
    patch.setattr(tiled, "_by_rows", lambda a, b: original(a[:, :-1], b[:-1]))


def a_matrix_read_by_columns_is_not_turned_back(patch):
    original = tiled._by_rows
    patch.setattr(tiled, "_by_rows", lambda a, b: original(a, b).T.reshape(len(a), -1))


def panels_that_begin_one_output_too_early(patch):
    original = packed.pack
    patch.setattr(packed, "pack", lambda b: original(np.roll(b, 1, axis=1)))


def lanes_multiplied_by_their_own_weights(patch):
    patch.setattr(grouped, "ordered", lambda weight, partners: weight)


def weight_gradients_of_the_lanes_themselves(patch):
    original = grouped_weight._add_up
    patch.setattr(grouped_weight, "_add_up", lambda *arguments: original(*arguments[:-1], (0,)))


def border_on_one_side_only(patch):
    original = bordered.border

    def border(g):
        found = original(g)
        return found and replace(found, first=found.first - min(found.first, g.width.before))

    patch.setattr(grouped_weight, "border", border)


def windows_that_move_by_one_tap_whatever_the_stride(patch):
    for module in (grouped_window, grouped_window_weight):
        patch.setattr(module, "together", lambda geometry, most: ((0,) * most, (0,)))


def biased_running_variance(patch):
    def update(running, batch, momentum):
        if running is not None:
            count = 8
            values = running._array if isinstance(running, graph.Variable) else running
            values[...] = (1 - momentum) * values + momentum * batch * (count - 1) / count

    patch.setattr(normalization, "move_running", update)


def batch_norm_gradient_without_the_statistics(patch):
    def grad_input(g, x, mean, invstd, scale, sums, products):
        return g * scale.astype(g.dtype)

    patch.setattr(kernels.normalization, "grad_input", grad_input)


def cross_entropy_divides_by_the_batch(patch):
    original = kernels.loss.cross_entropy

    def cross_entropy(x, target, *rest):
        losses, slopes, total, _ = original(x, target, *rest)
        return losses, slopes, total, len(x)

    patch.setattr(kernels.loss, "cross_entropy", cross_entropy)


def sgd_without_momentum(patch):
    original = minicnn.optim.SGD.__init__

    def init(self, params, lr=1e-3, momentum=0.0, *args, **kwargs):
        kwargs["nesterov"] = False
        original(self, params, lr, 0.0, *args, **kwargs)

    patch.setattr(minicnn.optim.SGD, "__init__", init)


def a_gradient_checker_that_never_compares(patch):
    patch.setattr(test_autograd, "gradcheck", lambda *a, **k: True)


def run_convolutions():
    test_convolution.test_agrees_with_torch(algorithm="im2col", dtype=np.float32)


def run_default():
    test_convolution.test_agrees_with_torch(algorithm="implicit", dtype=np.float32)


def run_tiled():
    test_convolution.test_agrees_with_torch(algorithm="tiled", dtype=np.float32)


def run_packed():
    test_convolution.test_agrees_with_torch(algorithm="packed", dtype=np.float32)


def run_transposed():
    test_convolution.test_transposed_agrees_with_torch(algorithm="implicit", dtype=np.float32)


def run_grouped():
    test_convolution.test_grouped_layers_agree_with_torch(two_threads=None)


def run_winograd():
    test_convolution.test_winograd_agrees_with_torch_at_its_own_accuracy(dtype=np.float32)


def run_fft():
    test_convolution.test_fft_agrees_with_torch_at_its_own_accuracy(dtype=np.float32)


def run_max_pools():
    test_pooling.test_max_pool2d_agrees_with_torch(dtype=np.float32)


def run_public_conv_checker():
    check_conv2d(lambda *a: F.conv2d(*a, algorithm="im2col").numpy(), backward_of_conv2d, isolated=False)


def backward_of_conv2d(g, x, weight, bias, *arguments):
    tensors = [None if a is None else minicnn.as_tensor(a).requires_grad_() for a in (x, weight, bias)]
    F.conv2d(*tensors, *arguments, algorithm="im2col").backward(g)
    return [None if t is None else t.grad.numpy() for t in tensors]


def run_public_pool_checker():
    check_max_pool2d(lambda *a: F.max_pool2d(*a).numpy(), isolated=False)


MUTANTS = [
    (max_pool_padded_with_zero, run_max_pools),
    (max_pool_padded_with_zero, run_public_pool_checker),
    (max_pool_takes_the_last_of_equal_values, test_pooling.test_max_pool2d_indices_with_ties_and_nan),
    (max_pool_takes_the_last_of_equal_values, run_max_pools),
    (pool_gradient_by_assignment, run_max_pools),
    (graph_gradient_by_assignment, test_autograd.test_leaf_gradients_accumulate),
    (col2im_by_assignment, run_convolutions),
    (weight_gradient_from_the_unpadded_input, run_convolutions),
    (weight_gradient_from_the_unpadded_input, run_public_conv_checker),
    (same_padding_puts_the_odd_cell_first, run_convolutions),
    (groups_in_the_wrong_order, run_convolutions),
    (a_tile_forgets_its_last_step, run_tiled),
    (a_matrix_read_by_columns_is_not_turned_back, run_tiled),
    (panels_that_begin_one_output_too_early, run_packed),
    (lanes_multiplied_by_their_own_weights, run_grouped),
    (weight_gradients_of_the_lanes_themselves, run_grouped),
    (border_on_one_side_only, run_grouped),
    (windows_that_move_by_one_tap_whatever_the_stride, test_convolution.test_depthwise_layers_are_exact),
    (windows_tile_the_image_whatever_the_padding, run_max_pools),
    (pointwise_whatever_the_output_padding, run_transposed),
    (pointwise_whatever_the_output_padding_for_the_weight, run_transposed),
    (the_first_tap_takes_the_weights_of_the_last, run_default),
    (the_last_lane_of_a_block_is_not_packed, run_default),
    (phases_take_their_taps_backwards, run_default),
    (windows_begin_without_the_padding, run_default),
    (a_flattened_layer_reads_its_first_row_only, test_contraction.test_every_legal_schedule_gives_what_the_loops_give),
    (a_vector_of_several_pixels_keeps_the_weights_of_the_first, test_convolution.test_narrow_layers_agree_with_torch),
    (a_weight_gradient_folds_the_first_of_several_pixels_only, test_convolution.test_narrow_layers_agree_with_torch),
    (a_weight_gradient_forgets_the_last_image_of_a_line, test_convolution.test_wide_layers_with_many_images),
    (winograd_starts_at_the_other_axis, run_winograd),
    (fft_convolves_where_it_should_correlate, run_fft),
    (fft_wraps_around, run_fft),
    (biased_running_variance, test_batch_norm.test_running_variance_is_unbiased_and_normalisation_biased),
    (biased_running_variance, lambda: test_batch_norm.test_agrees_with_torch(training=True)),
    (
        batch_norm_gradient_without_the_statistics,
        lambda: test_batch_norm.test_agrees_with_torch(training=True),
    ),
    (cross_entropy_divides_by_the_batch, test_loss.test_cross_entropy_agrees_with_torch),
    (sgd_without_momentum, test_optim.test_steps),
    (a_gradient_checker_that_never_compares, test_autograd.test_gradcheck_finds_a_wrong_gradient),
]


@pytest.mark.parametrize(("plant", "check"), MUTANTS, ids=lambda f: f.__name__)
def test_a_planted_bug_is_noticed(plant, check, monkeypatch):
    plant(monkeypatch)
    with pytest.raises(BaseException) as caught:  # noqa: PT011  (assertion, exception group or pytest's own failure)
        check()
    assert not isinstance(caught.value, (KeyboardInterrupt, SystemExit))


@pytest.mark.slow
@pytest.mark.parametrize(
    "check", [run_public_conv_checker, run_public_pool_checker, run_convolutions, run_default, run_transposed]
)
def test_nothing_planted_nothing_noticed(check):
    """The checks pass on the code as it is, so that it is the bug that they notice."""
    check()
