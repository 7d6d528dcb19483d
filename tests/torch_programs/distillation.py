"""Distillation: a small network learns from the softened answers of a large one, which is frozen."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from seeds import fill, images, labels


class Net(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(width, 8, 3), nn.ReLU()
        )
        self.classifier = nn.Linear(8 * 4, 6)

    def forward(self, x):
        hidden = torch.flatten(self.features(x), 1)
        return self.classifier(hidden), hidden


def loss_fn_kd(outputs, labels, teacher_outputs, alpha=0.9, T=4.0):
    return F.kl_div(F.log_softmax(outputs / T, dim=1), F.softmax(teacher_outputs / T, dim=1), reduction="batchmean") * (
        alpha * T * T
    ) + F.cross_entropy(outputs, labels) * (1.0 - alpha)


teacher, student = fill(Net(12), seed=1), fill(Net(4), seed=2)
criterion = nn.CrossEntropyLoss()
LOSSES = []
optimizer = torch.optim.SGD(teacher.parameters(), lr=0.05)
for step in range(2):
    optimizer.zero_grad()
    loss = criterion(teacher(images(4, 3, 8, 8, seed=step))[0], labels(4, 6, seed=step))
    loss.backward()
    optimizer.step()
    LOSSES.append(loss.item())

teacher.eval()
optimizer = torch.optim.Adam(student.parameters(), lr=1e-3)
for step in range(3):
    x, y = images(4, 3, 8, 8, seed=step), labels(4, 6, seed=step)
    with torch.no_grad():
        teacher_logits, teacher_hidden = teacher(x)
    student_logits, student_hidden = student(x)
    loss = loss_fn_kd(student_logits, y, teacher_logits)
    soft_targets = F.softmax(teacher_logits / 2, dim=-1)
    soft_prob = F.log_softmax(student_logits / 2, dim=-1)
    loss += 0.25 * torch.sum(soft_targets * (soft_targets.log() - soft_prob)) / soft_prob.size()[0] * 2**2
    loss += 0.1 * F.mse_loss(student_hidden, teacher_hidden)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    LOSSES.append(loss.item())
MODEL = {"teacher": teacher, "student": student}
