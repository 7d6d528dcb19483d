"""The tutorial on CIFAR-10: a data set of one's own, momentum, running losses, the accuracy of each class."""

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from seeds import fill, images, labels

classes = ("plane", "car", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


class Photographs(torch.utils.data.Dataset):
    def __init__(self, count, seed):
        self.data = images(count, 3, 32, 32, seed=seed) * 2 - 1
        self.targets = labels(count, seed=seed)

    def __len__(self):
        return len(self.data)

    def __getitem__(self, idx):
        return self.data[idx], self.targets[idx]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 5)
        self.pool = nn.MaxPool2d(2, 2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 24)
        self.fc2 = nn.Linear(24, 20)
        self.fc3 = nn.Linear(20, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = x.view(-1, 16 * 5 * 5)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


trainloader = torch.utils.data.DataLoader(Photographs(16, 0), batch_size=4, shuffle=False, num_workers=0)
testloader = torch.utils.data.DataLoader(Photographs(8, 1), batch_size=4, shuffle=False, num_workers=0)
net = fill(Net())
criterion = nn.CrossEntropyLoss()
optimizer = optim.SGD(net.parameters(), lr=0.01, momentum=0.9)

LOSSES = []
for epoch in range(2):
    running_loss = 0.0
    for i, data in enumerate(trainloader, 0):
        inputs, targets = data
        optimizer.zero_grad()
        outputs = net(inputs)
        loss = criterion(outputs, targets)
        loss.backward()
        optimizer.step()
        running_loss += loss.item()
        if i % 2 == 1:
            print("[%d, %5d] loss: %.3f" % (epoch + 1, i + 1, running_loss / 2))
            LOSSES.append(running_loss)
            running_loss = 0.0

PATH = "./cifar_net.pth"
torch.save(net.state_dict(), PATH)
MODEL = Net().double()
MODEL.load_state_dict(torch.load(PATH))

class_correct = {name: 0 for name in classes}
class_total = {name: 0 for name in classes}
with torch.no_grad():
    for pictures, targets in testloader:
        outputs = MODEL(pictures)
        _, predicted = torch.max(outputs, 1)
        LOSSES.append((predicted == targets).sum().item())
        c = (predicted == targets).squeeze()
        for label, hit in zip(targets, c):
            class_correct[classes[label]] += hit.item()
            class_total[classes[label]] += 1
RESULTS = {name: [class_correct[name], class_total[name]] for name in classes}
RESULTS["probabilities"] = F.softmax(outputs, dim=1)
