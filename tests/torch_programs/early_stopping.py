"""Early stopping: the best weights are saved as a checkpoint and brought back, the rate falls on a plateau."""

import os

import numpy as np
import torch
import torch.nn as nn
from seeds import fill, images, labels


class EarlyStopping:
    def __init__(self, patience=2, verbose=False, delta=0, path="checkpoint.pt"):
        self.patience = patience
        self.verbose = verbose
        self.counter = 0
        self.best_score = None
        self.early_stop = False
        self.val_loss_min = np.inf
        self.delta = delta
        self.path = path

    def __call__(self, val_loss, model):
        score = -val_loss
        if self.best_score is None or score >= self.best_score + self.delta:
            self.best_score = score
            self.save_checkpoint(val_loss, model)
            self.counter = 0
        else:
            self.counter += 1
            print(f"EarlyStopping counter: {self.counter} out of {self.patience}")
            self.early_stop = self.counter >= self.patience

    def save_checkpoint(self, val_loss, model):
        if self.verbose:
            print(f"Validation loss decreased ({self.val_loss_min:.6f} --> {val_loss:.6f}).  Saving model ...")
        torch.save(model.state_dict(), self.path)
        self.val_loss_min = val_loss


MODEL = fill(
    nn.Sequential(nn.Conv2d(1, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(6 * 16, 16), nn.ReLU(), nn.Linear(16, 3))
)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(MODEL.parameters(), lr=0.02)
scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode="min", factor=0.5, patience=1)
early_stopping = EarlyStopping(patience=3, verbose=True)
LOSSES = []
for epoch in range(12):
    MODEL.train()
    train_losses, valid_losses = [], []
    for batch in range(2):
        optimizer.zero_grad()
        loss = criterion(MODEL(images(5, 1, 6, 6, seed=batch)), labels(5, 3, seed=batch))
        loss.backward()
        optimizer.step()
        train_losses.append(loss.item())
    MODEL.eval()
    with torch.no_grad():
        for batch in (5, 6):
            valid_losses.append(criterion(MODEL(images(5, 1, 6, 6, seed=batch)), labels(5, 3, seed=batch)).item())
    train_loss, valid_loss = np.average(train_losses), np.average(valid_losses)
    scheduler.step(valid_loss)
    LOSSES += [train_loss, valid_loss, optimizer.param_groups[0]["lr"]]
    early_stopping(valid_loss, MODEL)
    if early_stopping.early_stop:
        print("Early stopping")
        break
MODEL.load_state_dict(torch.load("checkpoint.pt"))
RESULTS = {"epochs": epoch, "best": early_stopping.val_loss_min, "there": os.path.exists("checkpoint.pt")}
