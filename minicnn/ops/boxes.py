"""Boxes (x1, y1, x2, y2) around things in an image: their areas, how much they overlap, and which to keep."""

import numpy as np

from minicnn import maximum, minimum, no_grad, stack
from minicnn.creation import from_numpy
from minicnn.errors import DtypeError, ShapeError
from minicnn.tensor import Tensor

FORMATS = ("xyxy", "xywh", "cxcywh")


def _check(boxes: Tensor, name: str = "boxes") -> None:
    if not isinstance(boxes, Tensor):
        raise TypeError(f"{name} must be a Tensor, got {type(boxes).__name__}")
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ShapeError(f"{name} must have shape (N, 4), got {tuple(boxes.shape)}")


def box_area(boxes: Tensor) -> Tensor:
    """(x2 − x1) · (y2 − y1) of each box: (N, 4) gives (N,); float16 in float32, integers in int32 at least.

    Raises:
        ShapeError: for boxes of another shape.
    """
    _check(boxes)
    boxes = _wide(boxes)
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def _wide(boxes: Tensor) -> Tensor:
    """Boxes in a dtype that holds products of theirs."""
    array = boxes._array
    if array.dtype.kind == "f":
        return boxes.float() if array.dtype.itemsize < 4 else boxes
    return boxes.int() if array.dtype.itemsize < 4 else boxes


def _overlap(boxes1: Tensor, boxes2: Tensor) -> tuple[Tensor, Tensor]:
    """Areas (N, M) of the intersection and of the union of each pair."""
    first, second = box_area(boxes1)[:, None], box_area(boxes2)
    corner = maximum(boxes1[:, None, :2], boxes2[:, :2])
    size = _wide(minimum(boxes1[:, None, 2:], boxes2[:, 2:]) - corner).clamp(min=0)
    shared = size[:, :, 0] * size[:, :, 1]
    return shared, first + second - shared


def box_iou(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """Intersection over union of each box of one list with each of the other: (N, 4) and (M, 4) give (N, M).

    Raises:
        ShapeError: for boxes of another shape.
    """
    _check(boxes1, "boxes1")
    _check(boxes2, "boxes2")
    shared, union = _overlap(boxes1, boxes2)
    return shared / union


def generalized_box_iou(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """`box_iou` less the part of the smallest box around both that neither covers.

    Rezatofighi et al., "Generalized intersection over union", 2019.
    """
    _check(boxes1, "boxes1")
    _check(boxes2, "boxes2")
    shared, union = _overlap(boxes1, boxes2)
    around = _wide(maximum(boxes1[:, None, 2:], boxes2[:, 2:]) - minimum(boxes1[:, None, :2], boxes2[:, :2])).clamp(
        min=0
    )
    area = around[:, :, 0] * around[:, :, 1]
    return shared / union - (area - union) / area


def box_convert(boxes: Tensor, in_fmt: str, out_fmt: str) -> Tensor:
    """Boxes written otherwise.

    Args:
        boxes: (N, 4).
        in_fmt, out_fmt: "xyxy" for two corners, "xywh" for a corner and the size, "cxcywh" for the centre and the size.

    Raises:
        ValueError: for another format.
    """
    if in_fmt not in FORMATS or out_fmt not in FORMATS:
        raise ValueError(f"formats are {', '.join(FORMATS)}, got {in_fmt!r} and {out_fmt!r}")
    if in_fmt == out_fmt:
        return boxes.clone()
    a, b, c, d = boxes.unbind(-1)
    if in_fmt == "xywh":
        a, b, c, d = a, b, a + c, b + d
    elif in_fmt == "cxcywh":
        a, b, c, d = a - 0.5 * c, b - 0.5 * d, a + 0.5 * c, b + 0.5 * d
    if out_fmt == "xywh":
        a, b, c, d = a, b, c - a, d - b
    elif out_fmt == "cxcywh":
        a, b, c, d = (a + c) / 2, (b + d) / 2, c - a, d - b
    return stack([a, b, c, d], -1)


def clip_boxes_to_image(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Boxes cut off at the borders of an image of `size` (H, W)."""
    H, W = size
    x = boxes[..., 0::2].clamp(min=0, max=W)
    y = boxes[..., 1::2].clamp(min=0, max=H)
    return stack([x, y], boxes.ndim).reshape(boxes.shape)


def remove_small_boxes(boxes: Tensor, min_size: float) -> Tensor:
    """Positions of the boxes both of whose sides are at least `min_size`."""
    large = (boxes[:, 2] - boxes[:, 0] >= min_size) & (boxes[:, 3] - boxes[:, 1] >= min_size)
    return large.nonzero()[:, 0]


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Non-maximum suppression: of boxes that overlap keep the one with the highest score.

    Args:
        boxes: (N, 4).
        scores: (N,), of the same dtype.
        iou_threshold: boxes whose `box_iou` with a kept one is above this are dropped.

    Returns: int64 positions of the kept boxes, highest score first.

    Raises:
        ShapeError, DtypeError: boxes and scores don't fit each other.
    """
    _check(boxes)
    if scores.ndim != 1 or len(scores) != len(boxes):
        raise ShapeError(f"scores must have shape ({len(boxes)},), got {tuple(scores.shape)}")
    if scores.dtype != boxes.dtype:
        raise DtypeError(f"boxes and scores must have the same dtype, got {boxes.dtype} and {scores.dtype}")
    with no_grad():
        remaining = scores.argsort(descending=True, stable=True).numpy()
    corners = boxes._array
    areas = (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])
    kept = []
    while len(remaining):
        best, others = remaining[0], remaining[1:]
        kept.append(best)
        low, high = (
            np.maximum(corners[best, :2], corners[others, :2]),
            np.minimum(corners[best, 2:], corners[others, 2:]),
        )
        shared = np.maximum(high - low, 0).prod(1)
        with np.errstate(invalid="ignore", divide="ignore"):
            overlapping = shared / (areas[best] + areas[others] - shared) > iou_threshold
        remaining = others[~overlapping]
    return from_numpy(np.array(kept, np.int64))


def batched_nms(boxes: Tensor, scores: Tensor, idxs: Tensor, iou_threshold: float) -> Tensor:
    """`nms` among boxes of the same category alone.

    Args:
        boxes, scores, iou_threshold: as for `nms`.
        idxs: (N,), the category of each box.
    """
    _check(boxes)
    kept = np.zeros(len(boxes), bool)
    for category in np.unique(idxs._array):
        members = (idxs == int(category)).nonzero()[:, 0]
        kept[members[nms(boxes[members], scores[members], iou_threshold)].numpy()] = True
    positions = from_numpy(np.flatnonzero(kept).astype(np.int64))
    return positions[scores[positions].argsort(descending=True, stable=True)]
