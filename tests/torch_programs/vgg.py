"""A VGG from a configuration list, with a classifier, trained by Adam with a step schedule."""

import torch
import torch.nn as nn
from seeds import fill, images, labels

cfg = {"VGG-tiny": [8, "M", 16, 16, "M", 24, "M"]}


class VGG(nn.Module):
    def __init__(self, vgg_name, num_classes=10):
        super(VGG, self).__init__()
        self.features = self._make_layers(cfg[vgg_name])
        self.avgpool = nn.AdaptiveAvgPool2d((2, 2))
        self.classifier = nn.Sequential(
            nn.Linear(24 * 2 * 2, 32),
            nn.ReLU(True),
            nn.Dropout(p=0.0),
            nn.Linear(32, num_classes),
        )

    def forward(self, x):
        out = self.features(x)
        out = self.avgpool(out)
        out = torch.flatten(out, 1)
        return self.classifier(out)

    def _make_layers(self, cfg):
        layers = []
        in_channels = 3
        for x in cfg:
            if x == "M":
                layers += [nn.MaxPool2d(kernel_size=2, stride=2)]
            else:
                layers += [
                    nn.Conv2d(in_channels, x, kernel_size=3, padding=1, bias=False),
                    nn.BatchNorm2d(x),
                    nn.ReLU(inplace=True),
                ]
                in_channels = x
        layers += [nn.AvgPool2d(kernel_size=1, stride=1)]
        return nn.Sequential(*layers)


MODEL = VGG("VGG-tiny")
for m in MODEL.modules():
    if isinstance(m, nn.Conv2d):
        nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")
    elif isinstance(m, nn.BatchNorm2d):
        nn.init.constant_(m.weight, 1)
        nn.init.constant_(m.bias, 0)
    elif isinstance(m, nn.Linear):
        nn.init.normal_(m.weight, 0, 0.01)
        nn.init.constant_(m.bias, 0)
fill(MODEL)
print(MODEL)
print(sum(p.numel() for p in MODEL.parameters() if p.requires_grad), "parameters")

criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(MODEL.parameters(), lr=1e-3, betas=(0.9, 0.99), weight_decay=1e-4)
scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[1, 2], gamma=0.1)
LOSSES = []
for epoch in range(3):
    MODEL.train()
    optimizer.zero_grad()
    loss = criterion(MODEL(images(4, 3, 16, 16, seed=epoch)), labels(4, seed=epoch))
    loss.backward()
    nn.utils.clip_grad_norm_(MODEL.parameters(), max_norm=1.0)
    optimizer.step()
    scheduler.step()
    LOSSES += [loss.item(), scheduler.get_last_lr()[0]]
MODEL.eval()
with torch.no_grad():
    RESULTS = {"logits": MODEL(images(2, 3, 16, 16, seed=9))}
