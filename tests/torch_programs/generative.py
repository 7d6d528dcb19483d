"""A deep convolutional GAN with binary cross-entropy; pictures go into a file as a grid."""

import os

import torch
import torch.nn as nn
import torch.nn.parallel
import torchvision.utils as vutils
from seeds import fill, images, noise

nz, ngf, ndf, nc = 6, 6, 6, 1


def weights_init(m):
    classname = m.__class__.__name__
    if classname.find("Conv") != -1:
        nn.init.normal_(m.weight.data, 0.0, 0.02)
    elif classname.find("BatchNorm") != -1:
        nn.init.normal_(m.weight.data, 1.0, 0.02)
        nn.init.constant_(m.bias.data, 0)


netG = nn.Sequential(
    nn.ConvTranspose2d(nz, ngf * 2, 4, 1, 0, bias=False),
    nn.BatchNorm2d(ngf * 2),
    nn.ReLU(True),
    nn.ConvTranspose2d(ngf * 2, ngf, 4, 2, 1, bias=False),
    nn.BatchNorm2d(ngf),
    nn.ReLU(True),
    nn.ConvTranspose2d(ngf, nc, 4, 2, 1, bias=False),
    nn.Tanh(),
)
netD = nn.Sequential(
    nn.Conv2d(nc, ndf, 4, 2, 1, bias=False),
    nn.LeakyReLU(0.2, inplace=True),
    nn.Conv2d(ndf, ndf * 2, 4, 2, 1, bias=False),
    nn.BatchNorm2d(ndf * 2),
    nn.LeakyReLU(0.2, inplace=True),
    nn.Conv2d(ndf * 2, 1, 4, 1, 0, bias=False),
    nn.Sigmoid(),
)
netG.apply(weights_init)
netD.apply(weights_init)
fill(netG, seed=1)
fill(netD, seed=2)
criterion = nn.BCELoss()
fixed_noise = noise(4, nz, 1, 1, seed=50)
optimizerD = torch.optim.Adam(netD.parameters(), lr=0.002, betas=(0.5, 0.999), eps=1e-4)
optimizerG = torch.optim.Adam(netG.parameters(), lr=0.002, betas=(0.5, 0.999), eps=1e-4)
LOSSES = []
img_list = []
for i in range(3):
    netD.zero_grad()
    real = images(4, nc, 16, 16, seed=i) * 2 - 1
    label = torch.full((4,), 1.0, dtype=torch.float64)
    output = netD(real).view(-1)
    errD_real = criterion(output, label)
    errD_real.backward()
    D_x = output.mean().item()
    fake = netG(noise(4, nz, 1, 1, seed=i))
    label.fill_(0)
    output = netD(fake.detach()).view(-1)
    errD_fake = criterion(output, label)
    errD_fake.backward()
    errD = errD_real + errD_fake
    optimizerD.step()
    netG.zero_grad()
    label.fill_(1)
    output = netD(fake).view(-1)
    errG = criterion(output, label)
    errG.backward()
    optimizerG.step()
    LOSSES += [errD.item(), errG.item(), D_x, output.mean().item()]
    with torch.no_grad():
        shown = netG(fixed_noise).detach().cpu()
    img_list.append(vutils.make_grid(shown, padding=2, normalize=True))
vutils.save_image(shown, "fake.png", nrow=2, normalize=True)
MODEL = {"generator": netG, "discriminator": netD}
RESULTS = {"grid": img_list[-1], "size": os.path.getsize("fake.png") > 0}
