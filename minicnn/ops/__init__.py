"""Boxes, and parts of networks, under torchvision.ops's names: compositions of what there is, each a few lines."""

from minicnn.compat import missing
from minicnn.ops.boxes import (
    batched_nms,
    box_area,
    box_convert,
    box_iou,
    clip_boxes_to_image,
    generalized_box_iou,
    nms,
    remove_small_boxes,
)
from minicnn.ops.depth import StochasticDepth, stochastic_depth
from minicnn.ops.focal import sigmoid_focal_loss
from minicnn.ops.misc import FrozenBatchNorm2d, Permute, SqueezeExcitation

__all__ = [
    "FrozenBatchNorm2d",
    "Permute",
    "SqueezeExcitation",
    "StochasticDepth",
    "batched_nms",
    "box_area",
    "box_convert",
    "box_iou",
    "clip_boxes_to_image",
    "generalized_box_iou",
    "nms",
    "remove_small_boxes",
    "sigmoid_focal_loss",
    "stochastic_depth",
]

__getattr__ = missing.getattr_of(__name__, lambda: __all__)
