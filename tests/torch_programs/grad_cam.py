"""Grad-CAM by hooks on one layer, guided backpropagation by hooks on every ReLU."""

import torch.nn as nn
import torch.nn.functional as F
from seeds import fill, images


class GradCAM:
    def __init__(self, model, target_layer):
        self.model = model
        self.gradients = []
        self.activations = []
        self.handles = [
            target_layer.register_forward_hook(self.save_activation),
            target_layer.register_full_backward_hook(self.save_gradient),
        ]

    def save_activation(self, module, input, output):
        self.activations.append(output.detach())

    def save_gradient(self, module, grad_input, grad_output):
        self.gradients.append(grad_output[0].detach())

    def __call__(self, x, index=None):
        output = self.model(x)
        if index is None:
            index = output.argmax(dim=1).item()
        self.model.zero_grad()
        output[:, index].sum().backward()
        weights = self.gradients[-1].mean(dim=(2, 3), keepdim=True)
        cam = F.relu((weights * self.activations[-1]).sum(dim=1, keepdim=True))
        cam = F.interpolate(cam, size=x.shape[2:], mode="bilinear", align_corners=False)
        cam = cam - cam.min()
        return (cam / (cam.max() + 1e-8)).squeeze(), output

    def release(self):
        for handle in self.handles:
            handle.remove()


MODEL = fill(
    nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 8, 3, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 4),
    )
)
MODEL.eval()
picture = images(1, 3, 8, 8, seed=3)
camera = GradCAM(MODEL, MODEL[3])
cam, output = camera(picture)
other, _ = camera(picture, 2)
camera.release()

guided = []
for module in MODEL.modules():
    if isinstance(module, nn.ReLU):
        guided.append(
            module.register_full_backward_hook(lambda module, grad_in, grad_out: (grad_in[0].clamp(min=0.0),))
        )
picture = picture.clone().requires_grad_(True)
MODEL.zero_grad()
MODEL(picture)[0, 1].backward()
for handle in guided:
    handle.remove()
LOSSES = output[0].tolist()
RESULTS = {"cam": cam, "other": other, "guided": picture.grad, "both": picture.grad * cam}
