"""Times whole training steps of the digits' networks in PyTorch and NumPy: forward, loss, backward, Adam.

    pip install torch==2.13.0 numpy
    python benches/peers/torch_layers.py

One thread, ns for each sample, medians of 21 turns. The networks are those of the package `digits`: 64-64-32-10 with ReLU, and
two 3 x 3 convolutions of 8 and 16 filters with a pooling between them. `./ci.sh bench-layers` times them in gradus.
"""

import statistics
import time

import numpy as np
import torch
from torch import nn

TURNS = 21
BATCHES = [1, 8, 32]


def mlp():
    return nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))


def cnn():
    return nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)),
        nn.Conv2d(1, 8, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(256, 10),
    )


def torch_step(make, batch, **options):
    torch.manual_seed(1)
    model, loss = make(), nn.CrossEntropyLoss()
    adam = torch.optim.Adam(model.parameters(), **options)
    x, labels = torch.rand(batch, 64), torch.arange(batch) % 10

    def step():
        adam.zero_grad()
        loss(model(x), labels).backward()
        adam.step()

    return step


def numpy_step(batch):
    """The MLP, as one writes it with matrix products and a flat array for Adam."""
    rng = np.random.default_rng(1)
    sizes = [(64, 64), (64, 32), (32, 10)]
    flat = rng.uniform(-0.1, 0.1, sum((i + 1) * o for i, o in sizes)).astype(np.float32)
    grads, m, v = (np.zeros_like(flat) for _ in range(3))

    def layers(array):
        at = 0
        for i, o in sizes:
            yield array[at : at + i * o].reshape(i, o), array[at + i * o : at + (i + 1) * o]
            at += (i + 1) * o

    weights, slopes = list(layers(flat)), list(layers(grads))
    x, labels = rng.uniform(0, 1, (batch, 64)).astype(np.float32), np.arange(batch) % 10
    f = np.float32

    def step():
        inputs = [x]
        for k, (w, b) in enumerate(weights):
            y = inputs[-1] @ w + b
            inputs.append(np.maximum(y, 0) if k < 2 else y)
        scores = inputs.pop()
        e = np.exp(scores - scores.max(1, keepdims=True))
        dy = e / e.sum(1, keepdims=True)
        dy[np.arange(batch), labels] -= 1
        dy /= batch
        for (w, _), (dw, db), a in reversed(list(zip(weights, slopes, inputs))):
            np.matmul(a.T, dy, out=dw)
            dy.sum(0, out=db)
            dy = (dy @ w.T) * (a > 0)
        m[:] = m * f(0.9) + grads * f(0.1)
        v[:] = v * f(0.999) + grads * grads * f(0.001)
        flat[:] -= f(1e-3) * m / (np.sqrt(v) + f(1e-8))

    return step


CONTESTANTS = {
    "MLP, torch fused": lambda batch: torch_step(mlp, batch, fused=True),
    "MLP, torch default": lambda batch: torch_step(mlp, batch),
    "MLP, numpy": numpy_step,
    "CNN, torch fused": lambda batch: torch_step(cnn, batch, fused=True),
    "CNN, torch default": lambda batch: torch_step(cnn, batch),
}


def median_ns(step):
    for _ in range(20):
        step()
    turns = []
    for _ in range(TURNS):
        start = time.perf_counter()
        for _ in range(20):
            step()
        turns.append((time.perf_counter() - start) * 1e9 / 20)
    return statistics.median(turns)


def main():
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, numpy {np.__version__}, one thread, ns for each sample\n")
    print("| network | " + " | ".join(f"batch {batch}" for batch in BATCHES) + " |")
    print("|---|" + "--:|" * len(BATCHES))
    for name, make in CONTESTANTS.items():
        cells = [f"{median_ns(make(batch)) / batch:.0f}" for batch in BATCHES]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
