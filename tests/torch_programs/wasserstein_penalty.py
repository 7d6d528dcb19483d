"""WGAN-GP: the critic is held to slopes of 1 between real and fake images, by the gradient of its gradient."""

import numpy as np
import torch
import torch.autograd as autograd
import torch.nn as nn
from seeds import fill, images, noise
from torch.autograd import Variable

lambda_gp, latent_dim = 10, 6
Tensor = torch.DoubleTensor


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.start = nn.Linear(latent_dim, 8 * 2 * 2)
        self.blocks = nn.Sequential(
            nn.ConvTranspose2d(8, 8, 4, 2, 1),
            nn.BatchNorm2d(8),
            nn.ReLU(True),
            nn.ConvTranspose2d(8, 1, 4, 2, 1),
            nn.Tanh(),
        )

    def forward(self, z):
        return self.blocks(self.start(z).view(-1, 8, 2, 2))


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(
            nn.Conv2d(1, 8, 3, 2, 1),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(8, 12, 3, 2, 1),
            nn.InstanceNorm2d(12, affine=True),
            nn.LeakyReLU(0.2, inplace=True),
        )
        self.last = nn.Linear(12 * 2 * 2, 1)

    def forward(self, img):
        return self.last(self.model(img).flatten(1))


def compute_gradient_penalty(D, real_samples, fake_samples, alpha):
    """Calculates the gradient penalty loss for WGAN GP"""
    interpolates = (alpha * real_samples + ((1 - alpha) * fake_samples)).requires_grad_(True)
    d_interpolates = D(interpolates)
    fake = Variable(Tensor(real_samples.shape[0], 1).fill_(1.0), requires_grad=False)
    gradients = autograd.grad(
        outputs=d_interpolates,
        inputs=interpolates,
        grad_outputs=fake,
        create_graph=True,
        retain_graph=True,
        only_inputs=True,
    )[0]
    gradients = gradients.view(gradients.size(0), -1)
    return ((gradients.norm(2, dim=1) - 1) ** 2).mean()


generator, discriminator = fill(Generator()), fill(Discriminator(), seed=1)
optimizer_G = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.9), eps=1e-3)
optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.5, 0.9), eps=1e-3)
LOSSES = []
for i in range(4):
    real_imgs = images(5, 1, 8, 8, seed=i) * 2 - 1
    alpha = torch.from_numpy(np.random.RandomState(i).random_sample((5, 1, 1, 1)))
    optimizer_D.zero_grad()
    fake_imgs = generator(noise(5, latent_dim, seed=i))
    gradient_penalty = compute_gradient_penalty(discriminator, real_imgs.data, fake_imgs.data, alpha)
    d_loss = -discriminator(real_imgs).mean() + discriminator(fake_imgs).mean() + lambda_gp * gradient_penalty
    d_loss.backward()
    optimizer_D.step()
    LOSSES += [d_loss.item(), gradient_penalty.item()]
    if i % 2 == 0:
        optimizer_G.zero_grad()
        g_loss = -torch.mean(discriminator(generator(noise(5, latent_dim, seed=10 + i))))
        g_loss.backward()
        optimizer_G.step()
        LOSSES.append(g_loss.item())
MODEL = [generator, discriminator]
