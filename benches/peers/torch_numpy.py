"""Times one Adam and one momentum step of PyTorch and NumPy on buffers of the sizes of BENCHMARKS.md.

    pip install torch==2.13.0 numpy
    python benches/peers/torch_numpy.py

One thread. Nanoseconds per parameter, medians of 21 turns. PyTorch is given one tensor of N parameters whose gradient is
set once, as gradus is; `fused` is its single-kernel implementation, `foreach` its default on lists, `plain` the Python loop.
"""

import statistics
import time

import numpy as np
import torch

SIZES = [64, 1 << 10, 1 << 14, 1 << 18, 1 << 20, 1 << 24]
TURNS = 21


def torch_step(make, n):
    params = torch.full((n,), 0.5)
    params.grad = (torch.arange(n) % 251) / 125 - 0.997
    return make([params]).step


def numpy_adam(n):
    p, m, v = (np.full(n, x, np.float32) for x in (0.5, 0.0, 0.0))
    g = ((np.arange(n) % 251) / 125 - 0.997).astype(np.float32)
    x, y = np.empty_like(p), np.empty_like(p)
    f = np.float32

    def step():
        np.multiply(m, f(0.9), out=m)
        np.multiply(g, f(0.1), out=x)
        np.add(m, x, out=m)
        np.multiply(v, f(0.999), out=v)
        np.multiply(g, g, out=x)
        np.multiply(x, f(0.001), out=x)
        np.add(v, x, out=v)
        np.sqrt(v, out=x)
        np.add(x, f(1e-8), out=x)
        np.divide(m, x, out=y)
        np.multiply(y, f(1e-3), out=y)
        np.subtract(p, y, out=p)

    return step


CONTESTANTS = {
    "torch Adam fused": lambda n: torch_step(lambda p: torch.optim.Adam(p, fused=True), n),
    "torch Adam foreach": lambda n: torch_step(lambda p: torch.optim.Adam(p, foreach=True), n),
    "torch Adam plain": lambda n: torch_step(lambda p: torch.optim.Adam(p, foreach=False), n),
    "numpy Adam, 12 passes": numpy_adam,
    "torch SGD momentum fused": lambda n: torch_step(lambda p: torch.optim.SGD(p, 1e-3, 0.9, fused=True), n),
}


def median_ns(step):
    step()
    start = time.perf_counter()
    step()
    calls = max(1, int(1e-3 / max(time.perf_counter() - start, 1e-7)))
    turns = []
    for _ in range(TURNS):
        start = time.perf_counter()
        for _ in range(calls):
            step()
        turns.append((time.perf_counter() - start) * 1e9 / calls)
    return statistics.median(turns)


def main():
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, numpy {np.__version__}, one thread, ns per parameter\n")
    print("| contestant | " + " | ".join(f"{n:,}" for n in SIZES) + " |")
    print("|---|" + "--:|" * len(SIZES))
    for name, make in CONTESTANTS.items():
        cells = [f"{median_ns(make(n)) / n:.3f}" for n in SIZES]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
