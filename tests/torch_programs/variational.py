"""A variational autoencoder, with its divergence written out and with torch.distributions."""

import torch
from seeds import fill, images, noise
from torch import nn, optim
from torch.distributions import Normal, kl_divergence
from torch.nn import functional as F


class VAE(nn.Module):
    def __init__(self):
        super(VAE, self).__init__()
        self.fc1 = nn.Linear(64, 20)
        self.fc21 = nn.Linear(20, 5)
        self.fc22 = nn.Linear(20, 5)
        self.fc3 = nn.Linear(5, 20)
        self.fc4 = nn.Linear(20, 64)

    def encode(self, x):
        h1 = F.relu(self.fc1(x))
        return self.fc21(h1), self.fc22(h1)

    def reparameterize(self, mu, logvar, seed):
        std = torch.exp(0.5 * logvar)
        eps = noise(*std.shape, seed=seed)
        return mu + eps * std

    def decode(self, z):
        h3 = F.relu(self.fc3(z))
        return torch.sigmoid(self.fc4(h3))

    def forward(self, x, seed):
        mu, logvar = self.encode(x.view(-1, 64))
        z = self.reparameterize(mu, logvar, seed)
        return self.decode(z), mu, logvar


def loss_function(recon_x, x, mu, logvar):
    x = x.view(-1, 64)
    BCE = F.binary_cross_entropy(recon_x, x, reduction="sum")
    KLD = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return BCE + KLD


MODEL = fill(VAE())
optimizer = optim.Adam(MODEL.parameters(), lr=1e-3)
LOSSES = []
for step in range(4):
    data = images(6, 1, 8, 8, seed=step)
    optimizer.zero_grad()
    recon_batch, mu, logvar = MODEL(data, step)
    if step < 2:
        loss = loss_function(recon_batch, data, mu, logvar)
    else:
        posterior = Normal(mu, (0.5 * logvar).exp())
        prior = Normal(torch.zeros_like(mu), torch.ones_like(mu))
        loss = F.mse_loss(recon_batch, data.view(-1, 64), reduction="sum") + kl_divergence(posterior, prior).sum()
        loss = loss - 0.01 * posterior.log_prob(mu.detach() + 0.1).mean() - 0.01 * posterior.entropy().mean()
    loss.backward()
    optimizer.step()
    LOSSES.append(loss.item())
MODEL.eval()
with torch.no_grad():
    RESULTS = {"sample": MODEL.decode(noise(3, 5, seed=7)).view(3, 1, 8, 8)}
