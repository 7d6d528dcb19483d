"""A convolutional autoencoder, trained on the pictures themselves, then on noisy ones."""

import torch
import torch.nn as nn
from seeds import fill, images, noise


class Autoencoder(nn.Module):
    def __init__(self):
        super(Autoencoder, self).__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 8, 3, stride=3, padding=1),
            nn.ReLU(True),
            nn.MaxPool2d(2, stride=2),
            nn.Conv2d(8, 4, 3, stride=2, padding=1),
            nn.ReLU(True),
            nn.MaxPool2d(2, stride=1),
        )
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(4, 8, 3, stride=2),
            nn.ReLU(True),
            nn.ConvTranspose2d(8, 6, 5, stride=3, padding=1),
            nn.ReLU(True),
            nn.ConvTranspose2d(6, 1, 2, stride=2, padding=1, output_padding=0),
            nn.Tanh(),
        )

    def forward(self, x):
        x = self.encoder(x)
        return self.decoder(x)


MODEL = fill(Autoencoder())
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(MODEL.parameters(), lr=1e-3, weight_decay=1e-5)
LOSSES = []
for epoch in range(4):
    img = images(3, 1, 28, 28, seed=epoch) * 2 - 1
    given = img if epoch < 2 else (img + 0.1 * noise(3, 1, 28, 28, seed=epoch)).clamp(-1, 1)
    output = MODEL(given)
    loss = criterion(output, img)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    LOSSES.append(loss.item())
    print("epoch [{}/{}], loss:{:.4f}".format(epoch + 1, 4, loss.item()))
with torch.no_grad():
    code = MODEL.encoder(img)
RESULTS = {"code": code, "shape": tuple(output.shape), "picture": output}
