"""A conditional GAN with least squares: labels are embedded and join the noise, and the picture."""

import numpy as np
import torch
import torch.nn as nn
from seeds import fill, images, labels, noise
from torch.autograd import Variable

n_classes, latent_dim, img_shape = 4, 5, (1, 5, 5)


class Generator(nn.Module):
    def __init__(self):
        super(Generator, self).__init__()
        self.label_emb = nn.Embedding(n_classes, n_classes)
        self.model = nn.Sequential(
            nn.Linear(latent_dim + n_classes, 16),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Linear(16, int(np.prod(img_shape))),
            nn.Tanh(),
        )

    def forward(self, noise, labels):
        gen_input = torch.cat((self.label_emb(labels), noise), -1)
        img = self.model(gen_input)
        return img.view(img.size(0), *img_shape)


class Discriminator(nn.Module):
    def __init__(self):
        super(Discriminator, self).__init__()
        self.label_embedding = nn.Embedding(n_classes, n_classes)
        self.model = nn.Sequential(
            nn.Linear(n_classes + int(np.prod(img_shape)), 16), nn.Dropout(0.0), nn.LeakyReLU(0.2), nn.Linear(16, 1)
        )

    def forward(self, img, labels):
        d_in = torch.cat((img.view(img.size(0), -1), self.label_embedding(labels)), -1)
        return self.model(d_in)


adversarial_loss = torch.nn.MSELoss()
generator, discriminator = fill(Generator()), fill(Discriminator(), seed=1)
optimizer_G = torch.optim.Adam(generator.parameters(), lr=2e-3, betas=(0.5, 0.999))
optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=2e-3, betas=(0.5, 0.999))
LOSSES = []
for i in range(3):
    imgs, real_labels = images(6, *img_shape, seed=i), labels(6, n_classes, seed=i)
    batch_size = imgs.shape[0]
    valid = Variable(torch.ones(batch_size, 1).double(), requires_grad=False)
    fake = Variable(torch.zeros(batch_size, 1).double(), requires_grad=False)
    optimizer_G.zero_grad()
    z, gen_labels = noise(6, latent_dim, seed=i), labels(6, n_classes, seed=10 + i)
    gen_imgs = generator(z, gen_labels)
    g_loss = adversarial_loss(discriminator(gen_imgs, gen_labels), valid)
    g_loss.backward()
    optimizer_G.step()
    optimizer_D.zero_grad()
    d_real_loss = adversarial_loss(discriminator(imgs, real_labels), valid)
    d_fake_loss = adversarial_loss(discriminator(gen_imgs.detach(), gen_labels), fake)
    d_loss = (d_real_loss + d_fake_loss) / 2
    d_loss.backward()
    optimizer_D.step()
    LOSSES += [g_loss.item(), d_loss.item()]
MODEL = [generator, discriminator]
