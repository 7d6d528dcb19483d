"""A small detector: anchors at two scales, targets matched by overlap, focal and smooth L1 losses, boxes by nms."""

import itertools

import torch
import torch.nn as nn
import torch.nn.functional as F
from seeds import fill, images
from torchvision.ops import batched_nms, box_convert, box_iou, clip_boxes_to_image, sigmoid_focal_loss
from torchvision.ops.misc import FrozenBatchNorm2d

CLASSES = 2


class Detector(nn.Module):
    def __init__(self, anchors=2):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), FrozenBatchNorm2d(8), nn.SiLU(inplace=True))
        self.down = nn.Sequential(nn.Conv2d(8, 8, 3, 2, 1, bias=False), FrozenBatchNorm2d(8), nn.SiLU(inplace=True))
        self.lateral = nn.ModuleList([nn.Conv2d(8, 8, 1) for _ in range(2)])
        self.classes = nn.Conv2d(8, anchors * CLASSES, 3, padding=1)
        self.boxes = nn.Conv2d(8, anchors * 4, 3, padding=1)

    def forward(self, x):
        fine = self.stem(x)
        coarse = self.lateral[1](self.down(fine))
        fine = self.lateral[0](fine) + F.interpolate(coarse, size=fine.shape[-2:], mode="nearest")
        outputs = []
        for head, width in ((self.classes, CLASSES), (self.boxes, 4)):
            levels = [head(level).permute(0, 2, 3, 1).reshape(x.shape[0], -1, width) for level in (fine, coarse)]
            outputs.append(torch.cat(levels, dim=1))
        return outputs


def make_anchors(size=16):
    rows = []
    for stride in (2, 4):
        for i, j in itertools.product(range(size // stride), repeat=2):
            for scale in (2.0, 3.0):
                rows.append([(j + 0.5) * stride, (i + 0.5) * stride, scale * stride, scale * stride])
    return torch.tensor(rows, dtype=torch.float64)


def encode(matched, anchors):
    matched = box_convert(matched, "xyxy", "cxcywh")
    return torch.cat([(matched[:, :2] - anchors[:, :2]) / anchors[:, 2:], (matched[:, 2:] / anchors[:, 2:]).log()], 1)


def decode(codes, anchors):
    centres = codes[..., :2] * anchors[:, 2:] + anchors[:, :2]
    return box_convert(torch.cat([centres, codes[..., 2:].clamp(max=4.0).exp() * anchors[:, 2:]], -1), "cxcywh", "xyxy")


def detection_loss(outputs, targets, anchors):
    corners = box_convert(anchors, "cxcywh", "xyxy")
    total = 0.0
    for logits, codes, (boxes, labels) in zip(*outputs, targets):
        best, index = box_iou(boxes, corners).max(dim=0)
        positive = best > 0.4
        wanted = torch.zeros_like(logits)
        wanted[positive, labels[index[positive]]] = 1.0
        total = total + sigmoid_focal_loss(logits, wanted, reduction="sum") / positive.sum().clamp(min=1)
        total = total + F.smooth_l1_loss(codes[positive], encode(boxes[index[positive]], anchors[positive]), beta=0.1)
    return total / len(targets)


@torch.no_grad()
def detect(outputs, anchors, threshold=0.3):
    found = []
    for logits, codes in zip(*outputs):
        scores, classes = logits.sigmoid().max(dim=-1)
        boxes = clip_boxes_to_image(decode(codes, anchors), (16, 16))
        keep = scores > threshold
        boxes, scores, classes = boxes[keep], scores[keep], classes[keep]
        keep = batched_nms(boxes, scores, classes, 0.5)[:5]
        found.append(torch.cat([boxes[keep], scores[keep, None], classes[keep, None].to(boxes)], 1))
    return found


anchors = make_anchors()
model = fill(Detector())
optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9, weight_decay=1e-4)
targets = [
    (torch.tensor([[1.0, 1, 8, 9], [6, 5, 15, 14]], dtype=torch.float64), torch.tensor([0, 1])),
    (torch.tensor([[3.0, 2, 11, 12]], dtype=torch.float64), torch.tensor([1])),
]
LOSSES = []
for step in range(4):
    loss = detection_loss(model(images(2, 3, 16, 16, seed=step)), targets, anchors)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 5.0)
    optimizer.step()
    LOSSES.append(loss.item())
MODEL = model.eval()
RESULTS = {str(i): boxes for i, boxes in enumerate(detect(model(images(2, 3, 16, 16, seed=9)), anchors))}
