"""Wrong unfold (im2col) and fold (col2im), and wrong gradients of them."""

from minicnn.testing.wrong.mistake import mistake
from minicnn.testing.wrong.overlaps import assigned_over, averaged_over
from minicnn.testing.wrong.parts.padding import columns_of, fold, patches_in, unfold
from minicnn.testing.wrong.parts.windows import added_up, cropped, padded, padding_widths, pair, wide, windows


def channels_innermost(columns, kernel_size):
    """Rows of columns in the order KH, KW, C."""
    (KH, KW), (N, rows, L) = pair(kernel_size), columns.shape
    return columns.reshape(N, rows // (KH * KW), KH * KW, L).swapaxes(1, 2).reshape(N, rows, L)


def channels_outermost(columns, kernel_size):
    """Rows of columns in the order C, KH, KW, taken to be KH, KW, C."""
    (KH, KW), (N, rows, L) = pair(kernel_size), columns.shape
    return columns.reshape(N, KH * KW, rows // (KH * KW), L).swapaxes(1, 2).reshape(N, rows, L)


def folded_by(together, x, output_size, kernel_size, dilation, padding, stride):
    """`fold` with something else than `added_up`."""
    widths = padding_widths(padding, None, None)
    whole = [n + sum(added) for n, added in zip(pair(output_size), widths, strict=True)]
    patches = wide(patches_in(x, output_size, kernel_size, dilation, padding, stride))
    return cropped(together(patches, whole, stride, dilation), widths).astype(x.dtype)


@mistake("unfold", "an unfold whose columns have the channels innermost: KH, KW, C instead of C, KH, KW")
def columns_with_channels_innermost(x, kernel_size, dilation=1, padding=0, stride=1):
    return channels_innermost(unfold(x, kernel_size, dilation, padding, stride), kernel_size)


@mistake("unfold", "an unfold whose columns go down the kernel first: C, KW, KH instead of C, KH, KW")
def columns_down_the_kernel(x, kernel_size, dilation=1, padding=0, stride=1):
    return columns_of(
        windows(padded(x, padding_widths(padding, None, None)), kernel_size, stride, dilation).swapaxes(4, 5)
    )


@mistake("unfold", "an unfold that goes down the image first: its windows are ordered by column")
def windows_down_the_image(x, kernel_size, dilation=1, padding=0, stride=1):
    return columns_of(
        windows(padded(x, padding_widths(padding, None, None)), kernel_size, stride, dilation).swapaxes(2, 3)
    )


@mistake("unfold", "an unfold with stride and dilation swapped")
def stride_and_dilation_swapped(x, kernel_size, dilation=1, padding=0, stride=1):
    return unfold(x, kernel_size, stride, padding, dilation)


@mistake("unfold", "an unfold with the paddings of height and width swapped")
def padding_swapped(x, kernel_size, dilation=1, padding=0, stride=1):
    return unfold(x, kernel_size, dilation, pair(padding)[::-1], stride)


@mistake("unfold", "an unfold gradient that is put together with = for += where windows overlap", backward=True)
def gradient_assigned(grad_output, x, kernel_size, dilation=1, padding=0, stride=1):
    return folded_by(assigned_over, grad_output, x.shape[2:], kernel_size, dilation, padding, stride)


@mistake("fold", "a fold that writes with = for += where windows overlap")
def assigned(x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    return folded_by(assigned_over, x, output_size, kernel_size, dilation, padding, stride)


@mistake("fold", "a fold that averages instead of adding up where windows overlap, as if it were unfold's inverse")
def averaged(x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    return folded_by(averaged_over, x, output_size, kernel_size, dilation, padding, stride)


@mistake("fold", "a fold of columns that have the channels innermost: KH, KW, C instead of C, KH, KW")
def fold_with_channels_innermost(x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    return fold(channels_outermost(x, kernel_size), output_size, kernel_size, dilation, padding, stride)


@mistake("fold", "a fold that cuts the image out at the corner instead of behind the padding")
def cut_at_the_corner(x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    (H, W), (above, left) = pair(output_size), pair(padding)
    patches = wide(patches_in(x, output_size, kernel_size, dilation, padding, stride))
    return added_up(patches, (H + 2 * above, W + 2 * left), stride, dilation)[:, :, :H, :W].astype(x.dtype)


@mistake("fold", "a fold gradient divided by how many windows see a pixel", backward=True)
def gradient_divided(grad_output, x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    ones = unfold(grad_output[:1, :1] * 0 + 1, kernel_size, dilation, padding, stride)
    times = fold(ones, output_size, kernel_size, dilation, padding, stride)
    share = (grad_output / times.clip(1)).astype(x.dtype)
    return unfold(share, kernel_size, dilation, padding, stride)
