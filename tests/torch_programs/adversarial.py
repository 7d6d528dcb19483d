"""FGSM and PGD: pictures changed a little along the sign of the gradient, and training on them."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from seeds import fill, images, labels, noise

MODEL = fill(
    nn.Sequential(
        nn.Conv2d(1, 6, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(6 * 9, 12), nn.ReLU(), nn.Linear(12, 4)
    )
)


def fgsm_attack(image, epsilon, data_grad):
    sign_data_grad = data_grad.sign()
    perturbed_image = image + epsilon * sign_data_grad
    return torch.clamp(perturbed_image, 0, 1)


def fgsm(model, images, labels, eps):
    images.requires_grad = True
    loss = F.nll_loss(F.log_softmax(model(images), dim=1), labels)
    model.zero_grad()
    loss.backward()
    return fgsm_attack(images, eps, images.grad.data), loss.item()


def pgd(model, images, labels, eps=0.1, alpha=0.03, iters=3):
    loss = nn.CrossEntropyLoss()
    ori_images = images.data
    images = (images + eps * noise(*images.shape, seed=5).clamp(-1, 1)).detach()
    for i in range(iters):
        images.requires_grad_(True)
        outputs = model(images)
        model.zero_grad()
        cost = loss(outputs, labels)
        (gradient,) = torch.autograd.grad(cost, images)
        adv_images = images + alpha * gradient.sign()
        eta = torch.clamp(adv_images - ori_images, min=-eps, max=eps)
        images = torch.clamp(ori_images + eta, min=0, max=1).detach_()
    return images


LOSSES = []
RESULTS = {}
target = labels(5, 4)
for epsilon in [0, 0.05, 0.2]:
    adversarial, clean = fgsm(MODEL, images(5, 1, 8, 8), target, epsilon)
    final_pred = MODEL(adversarial).max(1, keepdim=True)[1]
    LOSSES += [clean, final_pred.eq(target.view_as(final_pred)).sum().item()]
    RESULTS[f"fgsm {epsilon}"] = adversarial

optimizer = torch.optim.SGD(MODEL.parameters(), lr=0.1)
for step in range(3):
    x, y = images(5, 1, 8, 8, seed=step), labels(5, 4, seed=step)
    MODEL.eval()
    hard = pgd(MODEL, x, y)
    MODEL.train()
    optimizer.zero_grad()
    loss = F.cross_entropy(MODEL(hard), y)
    loss.backward()
    optimizer.step()
    RESULTS[f"pgd {step}"] = hard
    LOSSES.append(loss.item())
