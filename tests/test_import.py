"""`import minicnn` loads nothing but NumPy and Python's own modules, so that it is quick on any machine."""

import subprocess
import sys


def test_nothing_but_numpy_is_imported():
    program = """
import sys
import numpy.random
before = {name.partition(".")[0] for name in sys.modules} | sys.stdlib_module_names
import minicnn
print({name.partition(".")[0] for name in sys.modules} - before)
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "{'minicnn'}"


def test_a_program_for_torch_runs_when_only_its_imports_change():
    program = """
import {library} as torch
import {library}.nn as nn
import {library}.nn.functional as F
import {library}.optim as optim
from {library}.utils.data import DataLoader, TensorDataset

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, padding=1)
        self.bn = nn.BatchNorm2d(4)
        self.fc = nn.Linear(4 * 4 * 4, 2)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn(self.conv(x))), 2)
        return self.fc(torch.flatten(x, 1))

torch.manual_seed(0)
labels = torch.randint(2, (64,))
images = torch.randn(64, 1, 8, 8) + labels.float().view(-1, 1, 1, 1)
loader = DataLoader(TensorDataset(images, labels), batch_size=16, shuffle=True)
net, lossf = Net(), nn.CrossEntropyLoss()
optimizer = optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
for epoch in range(5):
    for x, y in loader:
        optimizer.zero_grad()
        loss = lossf(net(x), y)
        loss.backward()
        optimizer.step()
net.eval()
with torch.no_grad():
    hits = (net(images).argmax(dim=1) == labels).sum().item()
print(hits)
"""
    for library in ("minicnn", "torch"):
        command = [sys.executable, "-c", program.format(library=library)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        assert int(result.stdout) >= 60, library
