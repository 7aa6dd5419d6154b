"""Layers, losses, activations and whole trainings by PyTorch in f64: networks.json, for tests/suite/networks.rs.

Inputs are not written down: both sides draw them from the same generator. Images lie row by row, column by column, channel
by channel, and weights as gradus has them; PyTorch's own order is made here, by permutations.
"""

import csv
import pathlib

from common import Random, layout  # first: it sets the environment of the libraries

import numpy as np
import torch
import torch.nn.functional as F

HERE = pathlib.Path(__file__).parent


class Drawn(Random):
    """The numbers of tests/support/random.rs."""

    def numbers(self, *shape, scale=1.0):
        flat = []
        for _ in range(int(np.prod(shape))):
            self.uniform()  # moves the state; the word is formed as in Rust
            z = self.state
            z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % 2**64
            z = (z ^ z >> 27) * 0x94D049BB133111EB % 2**64
            unit = np.float32((z ^ z >> 31) >> 40) / np.float32(2**24)
            flat.append(np.float32(scale) * (np.float32(2) * unit - np.float32(1)))
        return torch.tensor(np.array(flat, np.float32).reshape(shape), dtype=torch.float64)


def numbers(x):
    return [float(f"{v:.12g}") for v in x.detach().reshape(-1).tolist()]


def channels_last(x):
    return x.permute(0, 2, 3, 1)


def channels_first(x):
    return x.permute(0, 3, 1, 2)


def convolution(seed, images, size, filters, kernel, stride, padding, depthwise=False):
    random = Drawn(seed)
    h, w, c = size
    filters = c if depthwise else filters
    bias = random.numbers(filters).requires_grad_()
    weight = random.numbers(*kernel, *([c] if depthwise else [c, filters])).requires_grad_()
    x = random.numbers(images, h, w, c).requires_grad_()
    own = weight.permute(2, 0, 1).unsqueeze(1) if depthwise else weight.permute(3, 2, 0, 1)
    y = channels_last(F.conv2d(channels_first(x), own, bias, stride, padding, groups=c if depthwise else 1))
    y.backward(random.numbers(*y.shape))
    grads = torch.cat([bias.grad.reshape(-1), weight.grad.reshape(-1)])
    return dict(
        seed=seed, images=images, input=list(size), filters=filters, kernel=list(kernel), stride=list(stride),
        padding=list(padding), y=numbers(y), grads=numbers(grads), dx=numbers(x.grad),
    )


def pooling(kind, seed, images, size, window, stride, padding):
    random = Drawn(seed)
    x = random.numbers(images, *size).requires_grad_()
    if kind == "max":
        y = F.max_pool2d(channels_first(x), window, stride, padding)
    else:
        y = F.avg_pool2d(channels_first(x), window, stride, padding, count_include_pad=False)
    y = channels_last(y)
    y.backward(random.numbers(*y.shape))
    return dict(
        kind=kind, seed=seed, images=images, input=list(size), window=list(window), stride=list(stride),
        padding=list(padding), y=numbers(y), dx=numbers(x.grad),
    )


def losses(seed, rows, classes):
    random = Drawn(seed)
    z, t = random.numbers(rows, classes, scale=6.0), random.numbers(rows, classes)
    labels = torch.tensor([(3 * r + 1) % classes for r in range(rows)])
    unit = (t + 1) / 2
    out = dict(seed=seed, rows=rows, classes=classes)
    for name, loss in [
        ("cross_entropy", lambda z: F.cross_entropy(z, labels)),
        ("binary", lambda z: F.binary_cross_entropy_with_logits(z, unit)),
        ("squared", lambda z: F.mse_loss(z, t)),
        ("huber", lambda z: F.huber_loss(z, t, delta=1.5)),
    ]:
        own = z.clone().requires_grad_()
        value = loss(own)
        value.backward()
        out[name] = dict(loss=float(value.detach()), grads=numbers(own.grad))
    return out


def activations(seed, n):
    random = Drawn(seed)
    x, dy = random.numbers(n, scale=4.0), random.numbers(n)
    out = dict(seed=seed, n=n)
    for name, f in [
        ("relu", F.relu),
        ("leaky_relu", lambda x: F.leaky_relu(x, 0.1)),
        ("tanh", torch.tanh),
        ("sigmoid", torch.sigmoid),
    ]:
        own = x.clone().requires_grad_()
        y = f(own)
        y.backward(dy)
        out[name] = dict(y=numbers(y), dx=numbers(own.grad))
    return out


def digits():
    with open(HERE.parent.parent / "data" / "digits.csv") as file:
        rows = np.array([[int(v) for v in row[:65]] for row in csv.reader(file)])
    return torch.tensor(rows[:, :64] / 16.0), torch.tensor(rows[:, 64])


STEPS, BATCH = 20, 16


def training(name, seed, shapes, forward):
    """Twenty steps of Adam. Parameters are drawn as one flat array, and cut: biases, then weights."""
    x, labels = digits()
    random = Drawn(seed)
    params = []
    for bias, weight, scale in shapes:
        params.append(random.numbers(*bias, scale=0.1))
        params.append(random.numbers(*weight, scale=scale))
    params = [p.requires_grad_() for p in params]
    optimizer = torch.optim.Adam(params, lr=2e-3)
    losses = []
    for step in range(STEPS):
        batch = slice(step * BATCH, (step + 1) * BATCH)
        optimizer.zero_grad()
        loss = F.cross_entropy(forward(params, x[batch]), labels[batch])
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    flat = torch.cat([p.detach().reshape(-1) for p in params])
    return dict(name=name, seed=seed, steps=STEPS, batch=BATCH, lr=2e-3, losses=losses, every=37, params=numbers(flat[::37]))


def lecture(p, x):
    h = F.relu(x @ p[1] + p[0])
    h = F.relu(h @ p[3] + p[2])
    return h @ p[5] + p[4]


def convolutional(p, x):
    conv = lambda x, bias, weight: F.relu(F.conv2d(x, weight.permute(3, 2, 0, 1), bias, padding=1))
    h = F.max_pool2d(conv(x.reshape(-1, 1, 8, 8), p[0], p[1]), 2)
    h = channels_last(conv(h, p[2], p[3])).reshape(len(x), -1)
    return h @ p[5] + p[4]


def main():
    file = dict(
        torch=torch.__version__.split("+")[0],
        convolutions=[
            convolution(1, 2, (6, 7, 3), 5, (3, 3), (1, 1), (0, 0)),
            convolution(2, 1, (6, 7, 2), 4, (3, 2), (2, 3), (1, 1)),
            convolution(3, 2, (1, 20, 4), 3, (1, 11), (1, 2), (0, 5)),
            convolution(4, 1, (5, 5, 1), 9, (5, 5), (1, 1), (4, 2)),
            convolution(5, 3, (4, 4, 8), 17, (1, 1), (1, 1), (0, 0)),
        ],
        depthwise=[
            convolution(6, 2, (6, 7, 5), 0, (3, 3), (1, 1), (1, 1), depthwise=True),
            convolution(7, 1, (7, 6, 17), 0, (2, 3), (2, 1), (0, 2), depthwise=True),
        ],
        pooling=[
            pooling("max", 8, 2, (6, 8, 3), (2, 2), (2, 2), (0, 0)),
            pooling("max", 9, 1, (7, 7, 5), (3, 3), (2, 2), (1, 1)),
            pooling("average", 10, 2, (6, 8, 3), (2, 4), (2, 4), (0, 0)),
            pooling("average", 11, 1, (7, 7, 5), (3, 3), (2, 1), (1, 1)),
        ],
        losses=[losses(12, 1, 2), losses(13, 9, 10)],
        activations=[activations(14, 60)],
        trainings=[
            training("lecture", 15, [((64,), (64, 64), 0.2), ((32,), (64, 32), 0.2), ((10,), (32, 10), 0.3)], lecture),
            training(
                "convolutional", 16, [((8,), (3, 3, 1, 8), 0.5), ((16,), (3, 3, 8, 16), 0.2), ((10,), (256, 10), 0.15)],
                convolutional,
            ),
        ],
    )
    (HERE / "networks.json").write_text(layout(file) + "\n")


main()
