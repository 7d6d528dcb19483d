"""A differentiable operation of one's own: binarised weights, whose gradient passes straight on."""

import torch
from seeds import fill, images, labels
from torch import nn
from torch.autograd import Function


class Binarise(Function):
    @staticmethod
    def forward(ctx, weight, limit):
        ctx.save_for_backward(weight)
        ctx.limit = limit
        return torch.where(weight >= 0, torch.ones_like(weight), -torch.ones_like(weight))

    @staticmethod
    def backward(ctx, grad_output):
        (weight,) = ctx.saved_tensors
        grad_weight = grad_output.clone()
        grad_weight[weight.abs() > ctx.limit] = 0
        return grad_weight, None


class BinaryConv2d(nn.Conv2d):
    def forward(self, x):
        scale = self.weight.abs().mean(dim=(1, 2, 3), keepdim=True)
        weight = Binarise.apply(self.weight, 0.5) * scale
        return nn.functional.conv2d(x, weight, self.bias, self.stride, self.padding)


MODEL = fill(
    nn.Sequential(
        BinaryConv2d(1, 6, 3, padding=1, bias=False),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.MaxPool2d(2),
        BinaryConv2d(6, 8, 3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(8 * 2 * 2, 4),
    )
)
optimizer = torch.optim.Adam(MODEL.parameters(), lr=0.01)
LOSSES = []
for step in range(4):
    optimizer.zero_grad()
    loss = nn.CrossEntropyLoss()(MODEL(images(5, 1, 8, 8, seed=step)), labels(5, 4, seed=step))
    loss.backward()
    optimizer.step()
    LOSSES.append(float(loss))
