"""Operations on images: convolutions, pooling, padding, batch norm."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

import torch

from ..draft import Draft
from ..table import statement, value


@dataclass
class Axis:
    """One axis of a window."""

    kernel: int
    stride: int
    padding: int
    dilation: int

    @property
    def extent(self) -> int:
        """Pixels from the first tap to the last."""
        return (self.kernel - 1) * self.dilation + 1

    def positions(self, size: int) -> int:
        """How often the window fits into an image."""
        return (size + 2 * self.padding - self.extent) // self.stride + 1


def axis(draft: Draft, size: int, pooling: bool = False) -> Axis:
    """A window that fits an axis of an image, related to its size at times.

    Args:
        draft: the draft.
        size: of the image.
        pooling: pad by half a kernel at most, without dilation wherever padded.
    """
    relation = draft.pick(["free", "free", "stride is kernel", "kernel is image", "one"])
    padding = 0 if pooling or relation == "kernel is image" else draft.integer(0, 2)
    most = size + 2 * padding
    kernel = {"kernel is image": size, "one": 1}.get(relation) or draft.integer(1, min(most, 4))
    if pooling and kernel > 1 and draft.chance(2):
        padding = draft.integer(1, kernel // 2)
    reach = (most - 1) // (kernel - 1) if kernel > 1 else 3
    dilation = 1 if pooling and padding else draft.pick([1, 1, draft.integer(1, max(min(reach, 3), 1))])
    return Axis(kernel, kernel if relation == "stride is kernel" else draft.integer(1, 3), padding, dilation)


def pooled(draft: Draft) -> tuple[str, Axis, Axis]:
    """An image and the windows of a pooling; at times windows whose default stride divides the image, padded or not."""
    if draft.chance(2):
        x = draft.image()
        return x, *(axis(draft, size, pooling=True) for size in draft.shape(x)[-2:])
    kernels = draft.pick([1, 2, 3, 3, 4, 5]), draft.pick([1, 2, 3, 3, 4, 5])

    def divides(t: Any) -> bool:
        return t.dim() == 4 and t.numel() > 0 and all(n % k == 0 for n, k in zip(t.shape[2:], kernels, strict=True))

    fits = draft.tensors("f", divides)
    if fits and draft.chance(2):
        x = draft.pick(fits)
    else:
        x = draft.leaf((draft.integer(1, 2), draft.channels(), *(k * draft.integer(1, 3) for k in kernels)))
    return x, *(Axis(k, k, draft.pick([0, (k - 1) // 2, k // 2]), 1) for k in kernels)


def stride_option(draft: Draft, h: Axis, w: Axis) -> str:
    """`stride=`, left out where it is the kernel, which is the default of pooling."""
    if (h.stride, w.stride) == (h.kernel, w.kernel) and not draft.chance(3):
        return ""
    return f", stride={draft.pair(h.stride, w.stride)}"


def algorithm(draft: Draft) -> str:
    return f", algorithm={draft.pick(['im2col', 'naive', 'implicit'])!r}" if draft.chance(6) else ""


def groups_of(draft: Draft, channels: int) -> int:
    return draft.pick([1, 1, 1, channels, draft.pick([g for g in range(1, channels + 1) if channels % g == 0])])


@value(weight=6)
def conv2d(draft: Draft) -> str:
    x = draft.image()
    C, H, W = draft.shape(x)[-3:]
    h, w = axis(draft, H), axis(draft, W)
    groups = groups_of(draft, C)
    outputs = groups * draft.pick([1, 2, 3, max(draft.channels() // groups, 1)])
    weight = draft.weight((outputs, C // groups, h.kernel, w.kernel), C // groups * h.kernel * w.kernel)
    named = draft.pick(["", "", "", "same", "valid"])
    if named == "valid":
        fits = h.extent <= H and w.extent <= W
        named = "valid" if fits else ""
    padding = repr(named) if named else draft.pair(h.padding, w.padding)
    stride = "1" if named == "same" else draft.pair(h.stride, w.stride)
    options = f"stride={stride}, padding={padding}, dilation={draft.pair(h.dilation, w.dilation)}, groups={groups}"
    return f"F.conv2d({draft.plain(x)}, {draft.plain(weight)}, {draft.bias(outputs)}, {options}{algorithm(draft)})"


@value
def pointwise_conv2d(draft: Draft) -> str:
    x = draft.image()
    C, outputs = draft.shape(x)[-3], draft.channels()
    weight = draft.weight((outputs, C, 1, 1), C)
    return f"F.conv2d({draft.plain(x)}, {draft.plain(weight)}, {draft.bias(outputs)}{draft.pick(['', ', stride=2'])})"


@value(weight=3)
def conv_transpose2d(draft: Draft) -> str:
    x = draft.image()
    C, H, W = draft.shape(x)[-3:]
    groups = groups_of(draft, C)
    outputs = draft.pick([1, 2, 3, max(draft.channels() // groups, 1)])
    h, w = (_transposed_axis(draft, n) for n in (H, W))
    more = draft.pair(*(draft.pick([0, 0, draft.integer(0, max(a.stride, a.dilation) - 1)]) for a in (h, w)))
    weight = draft.weight((C, outputs, h.kernel, w.kernel), C // groups * h.kernel * w.kernel)
    options = (
        f"stride={draft.pair(h.stride, w.stride)}, padding={draft.pair(h.padding, w.padding)}, output_padding={more}, "
        f"groups={groups}, dilation={draft.pair(h.dilation, w.dilation)}"
    )
    bias = draft.bias(outputs * groups)
    return f"F.conv_transpose2d({draft.plain(x)}, {draft.plain(weight)}, {bias}, {options}{algorithm(draft)})"


def _transposed_axis(draft: Draft, size: int) -> Axis:
    kernel, dilation = draft.integer(1, 3), draft.pick([1, 1, 2, 3])
    stride = kernel if draft.chance(4) else draft.integer(1, 3 if size <= 6 else 1)
    result = Axis(kernel, stride, 0, dilation)
    result.padding = draft.integer(0, min(2, ((size - 1) * stride + result.extent - 1) // 2))
    return result


@statement(weight=4)
def max_pool2d(draft: Draft) -> str:
    x, h, w = pooled(draft)
    dilation = f", dilation={draft.pair(h.dilation, w.dilation)}" if (h.dilation, w.dilation) != (1, 1) else ""
    ceil = draft.pick(["", ", ceil_mode=True"]) if not dilation else ""
    options = f"{stride_option(draft, h, w)}, padding={draft.pair(h.padding, w.padding)}{dilation}{ceil}"
    call = f"F.max_pool2d({x}, {draft.pair(h.kernel, w.kernel)}{options}"
    if draft.chance(3):
        return f"{draft.new_name()}, {draft.new_name()} = {call}, return_indices=True)"
    return f"{draft.new_name()} = {call})"


@statement
def max_unpool2d(draft: Draft) -> str:
    x = draft.image(2)
    kernel, options = draft.pick([("2", ""), ("(2, 1)", ""), ("2", ", stride=1")])
    y, where = draft.new_name(), draft.new_name()
    size = draft.pick(["", f", output_size={draft.shape(x)[-2:]}"]) if not options else ""
    draft.add(f"{y}, {where} = F.max_pool2d({draft.plain(x)}, {kernel}{options}, return_indices=True)")
    return f"{draft.new_name()} = F.max_unpool2d({y}, {where}, {kernel}{options}{size})"


@value(weight=2)
def avg_pool2d(draft: Draft) -> str:
    x, h, w = pooled(draft)
    ceil = draft.pick(["", ", ceil_mode=True"])
    more = draft.pick(["", ", count_include_pad=False", ", divisor_override=3"])
    options = f"{stride_option(draft, h, w)}, padding={draft.pair(h.padding, w.padding)}{ceil}{more}"
    return f"F.avg_pool2d({x}, {draft.pair(h.kernel, w.kernel)}{options})"


def _output_size(draft: Draft) -> str:
    return draft.pick([str(draft.integer(1, 4)), f"({draft.integer(1, 5)}, None)", f"({draft.size()}, {draft.size()})"])


@value
def adaptive_avg_pool2d(draft: Draft) -> str:
    return f"F.adaptive_avg_pool2d({draft.image()}, {_output_size(draft)})"


@value
def adaptive_max_pool2d(draft: Draft) -> str:
    return f"F.adaptive_max_pool2d({draft.image()}, {_output_size(draft)})"


@value(weight=2)
def pad(draft: Draft) -> str:
    mode = draft.pick(["constant", "constant", "reflect", "replicate", "circular"])
    x = draft.image() if mode != "constant" else draft.tensor(4, 3, 2, 1)
    sizes = draft.shape(x)[::-1]
    widths: list[int] = []
    for n in sizes[: 2 if mode != "constant" else draft.integer(1, len(sizes))]:
        most = {"reflect": n - 1, "circular": n}.get(mode, 3)
        before = draft.integer(-1 if mode == "constant" and n > 2 else 0, min(most, 3))
        widths += [before, draft.integer(-1 if mode == "constant" and n > 2 else 0, min(most, 3))]
    value = draft.pick(["", f", value={draft.number()}"]) if mode == "constant" else ""
    return f"F.pad({x}, {tuple(widths)}, mode={mode!r}{value})"


@value
def unfold(draft: Draft) -> str:
    x = draft.image()
    h, w = (axis(draft, n) for n in draft.shape(x)[-2:])
    options = ", ".join(
        f"{name}={draft.pair(getattr(h, name), getattr(w, name))}" for name in ("dilation", "padding", "stride")
    )
    return f"F.unfold({x}, {draft.pair(h.kernel, w.kernel)}, {options})"


@value
def fold(draft: Draft) -> str:
    H, W = draft.integer(1, 6), draft.integer(1, 6)
    h, w = axis(draft, H), axis(draft, W)
    columns = (draft.integer(1, 3) * h.kernel * w.kernel, h.positions(H) * w.positions(W))
    x = draft.like(columns if draft.chance(4) else (draft.integer(1, 3), *columns))
    options = ", ".join(
        f"{name}={draft.pair(getattr(h, name), getattr(w, name))}" for name in ("dilation", "padding", "stride")
    )
    return f"F.fold({x}, ({H}, {W}), {draft.pair(h.kernel, w.kernel)}, {options})"


def varies(t: torch.Tensor) -> bool:
    """Whether every channel varies: batch norm makes anything of the rounding errors of a constant one."""
    if t.numel() <= t.shape[1]:
        return False
    var, mean = torch.var_mean(t.detach().transpose(0, 1).flatten(1), 1)
    return bool((var >= 1e-3 + 1e-4 * mean**2).all())


@value(weight=4)
def batch_norm(draft: Draft) -> str:
    training = draft.pick([True, True, False])
    x = draft.tensor(4, 2, 3, where=varies if training else lambda t: t.numel() > 0)
    C = draft.shape(x)[1]
    affine = draft.pick(["", f", {draft.plain(draft.like((C,)))}, {draft.plain(draft.like((C,)))}"])
    statistics = "None, None"
    if not training or draft.chance(2):
        mean, var = draft.new_name(), draft.new_name()
        draft.add(f"{mean} = T.from_numpy(reals({C}, seed={draft.integer(0, 9)}))")
        draft.add(f"{var} = T.from_numpy(reals({C}, seed={draft.integer(0, 9)}) ** 2 + 0.5)")
        statistics = f"{mean}, {var}"
    options = draft.pick(["", ", momentum=0.25", ", eps=0.125"])
    return f"F.batch_norm({draft.plain(x)}, {statistics}{affine}, training={training}{options})"


def _only_updated(draft: Draft, name: str) -> bool:
    """Whether a tensor has served for nothing but as running statistics in training."""
    uses = [line for line in draft.lines if re.search(rf"\b{name}\b(?! =)", line)]
    update = rf"F\.batch_norm\([^,]+, ({name}, t\d+|t\d+, {name})[,)]"
    return all("training=True" in line and re.search(update, line) and line.count(name) == 1 for line in uses)


@value
def batch_norm_again(draft: Draft) -> str:
    """The same running statistics updated a second time.

    PyTorch doesn't notice that they change, so nothing else may have read them.
    """
    x = draft.tensor(4, where=varies)
    C = draft.shape(x)[1]
    fitting = draft.tensors("f", lambda t: tuple(t.shape) == (C,) and not t.requires_grad and t.is_contiguous())
    held = Counter(t.untyped_storage().data_ptr() for t in draft.names.values() if isinstance(t, torch.Tensor))
    alone = [name for name in fitting if held[draft[name].untyped_storage().data_ptr()] == 1]
    means = [name for name in alone if _only_updated(draft, name)]
    pairs = [(mean, var) for mean in means for var in means if mean != var and bool((draft[var] > 0).all())]
    if not pairs:
        return f"F.batch_norm({draft.plain(x)}, None, None, training=True)"
    mean, var = draft.pick(pairs)
    return f"F.batch_norm({draft.plain(x)}, {mean}, {var}, training={draft.pick([True, False])})"
