"""Trains a convolutional network on the digits 0 to 8 and saves its weights: `nine.safetensors`.

The network is that of digits/src/convolutional.rs, with batch normalisation behind each convolution and nine classes.
A microcontroller learns the tenth from these weights (README.md). Every fifth sample of a class is for the test.

    pip install torch numpy safetensors
    python examples/finetune/train.py
"""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

HERE = Path(__file__).parent
CLASSES = 9


class Nine(nn.Module):
    """Images are N x 1 x 8 x 8, from 0 to 1."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(16)
        self.dense = nn.Linear(16 * 4 * 4, CLASSES)

    def forward(self, x):
        x = nn.functional.max_pool2d(self.norm1(self.conv1(x)).relu(), 2)
        x = self.norm2(self.conv2(x)).relu()
        x = nn.functional.dropout(x, 0.1, self.training)
        return self.dense(x.flatten(1))


def digits():
    """Images and labels: those to train with, and those to test with."""
    rows = np.loadtxt(HERE / "../../data/digits.csv", delimiter=",", usecols=range(65), dtype=np.int64)
    images, labels = torch.tensor(rows[:, :64] / 16, dtype=torch.float32), torch.tensor(rows[:, 64])
    seen, test = np.zeros(10, int), np.zeros(len(rows), bool)
    for i, label in enumerate(labels):
        seen[label] += 1
        test[i] = seen[label] % 5 == 0
    images = images.reshape(-1, 1, 8, 8)
    return [(images[part], labels[part]) for part in (~test, test)]


def accuracy(model, images, labels):
    model.eval()
    with torch.no_grad():
        return (model(images).argmax(1) == labels).float().mean().item()


def main():
    torch.manual_seed(1)
    torch.use_deterministic_algorithms(True)
    (x, y), (x_test, y_test) = ((x[y < CLASSES], y[y < CLASSES]) for x, y in digits())
    model, epochs, batch = Nine(), 20, 32
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    for _ in range(epochs):
        model.train()
        for part in torch.randperm(len(x)).split(batch):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x[part]), y[part]).backward()
            optimizer.step()
        schedule.step()
    print(f"accuracy: training {accuracy(model, x, y):.4f}, test {accuracy(model, x_test, y_test):.4f}")
    save_file(model.state_dict(), HERE / "nine.safetensors")


if __name__ == "__main__":
    main()
