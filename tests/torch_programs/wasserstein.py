"""A Wasserstein GAN: a critic with clipped weights, several steps of it for one of the generator."""

import numpy as np
import torch
import torch.nn as nn
from seeds import fill, images, noise
from torch.autograd import Variable

clip_value, n_critic, latent_dim, img_shape = 0.05, 2, 6, (1, 6, 6)


class Generator(nn.Module):
    def __init__(self):
        super(Generator, self).__init__()

        def block(in_feat, out_feat, normalize=True):
            layers = [nn.Linear(in_feat, out_feat, bias=not normalize)]
            if normalize:
                layers.append(nn.BatchNorm1d(out_feat, 0.8))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
            return layers

        self.model = nn.Sequential(
            *block(latent_dim, 12, normalize=False), *block(12, 16), nn.Linear(16, int(np.prod(img_shape))), nn.Tanh()
        )

    def forward(self, z):
        img = self.model(z)
        img = img.view(img.shape[0], *img_shape)
        return img


class Discriminator(nn.Module):
    def __init__(self):
        super(Discriminator, self).__init__()
        self.model = nn.Sequential(
            nn.Linear(int(np.prod(img_shape)), 16), nn.LeakyReLU(0.2, inplace=True), nn.Linear(16, 1)
        )

    def forward(self, img):
        img_flat = img.view(img.shape[0], -1)
        return self.model(img_flat)


generator, discriminator = fill(Generator()), fill(Discriminator(), seed=1)
optimizer_G = torch.optim.RMSprop(generator.parameters(), lr=1e-3, eps=1e-3)
optimizer_D = torch.optim.RMSprop(discriminator.parameters(), lr=1e-3, eps=1e-3)
LOSSES = []
for i in range(4):
    real_imgs = Variable(images(5, *img_shape, seed=i) * 2 - 1)
    optimizer_D.zero_grad()
    z = Variable(noise(5, latent_dim, seed=i))
    fake_imgs = generator(z).detach()
    loss_D = -torch.mean(discriminator(real_imgs)) + torch.mean(discriminator(fake_imgs))
    loss_D.backward()
    optimizer_D.step()
    for p in discriminator.parameters():
        p.data.clamp_(-clip_value, clip_value)
    LOSSES.append(loss_D.item())
    if i % n_critic == 0:
        optimizer_G.zero_grad()
        gen_imgs = generator(z)
        loss_G = -torch.mean(discriminator(gen_imgs))
        loss_G.backward()
        optimizer_G.step()
        LOSSES.append(loss_G.item())
MODEL = {"generator": generator, "discriminator": discriminator}
RESULTS = {"pictures": gen_imgs}
