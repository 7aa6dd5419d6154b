"""Times one Adam and one momentum step of PyTorch and NumPy on buffers of the sizes of BENCHMARKS.md.

    pip install torch==2.13.0 numpy
    python benches/peers/torch_numpy.py

With GRADUS=target/release/libgradus.so (`cargo rustc --release --features ffi --crate-type cdylib`) the crate's C functions
take turns with them, on memory of PyTorch's.

One thread. Nanoseconds per parameter, medians of 21 turns. PyTorch is given one tensor of N parameters whose gradient is
set once, as gradus is; `fused` is its single-kernel implementation, `foreach` its default on lists, `plain` the Python loop.
"""

import ctypes
import os
import statistics
import time

import numpy as np
import torch

SIZES = [64, 1 << 10, 1 << 14, 1 << 18, 1 << 20, 1 << 24]
TURNS = 21


def gradients(n):
    return (torch.arange(n) % 251) / 125 - 0.997


def torch_step(make, n):
    params = torch.full((n,), 0.5)
    params.grad = gradients(n)
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


class Gradus:
    """The crate's shared library, on the tensors of PyTorch."""

    class Epsilon(ctypes.Structure):
        _fields_ = [("place", ctypes.c_uint32), ("eps", ctypes.c_float), ("inside", ctypes.c_float)]

    class Clock(ctypes.Structure):
        _fields_ = [("t", ctypes.c_uint32), ("carry", ctypes.c_float)]

    class Momentum(ctypes.Structure):
        _fields_ = [
            ("version", ctypes.c_uint32), ("lr", ctypes.c_float), ("rho", ctypes.c_double), ("dampening", ctypes.c_double)]

    class Adam(ctypes.Structure):
        pass

    def __init__(self, path):
        self.Adam._fields_ = [
            ("version", ctypes.c_uint32), ("lr", ctypes.c_float), ("beta1", ctypes.c_double), ("beta2", ctypes.c_double),
            ("eps", self.Epsilon), ("bias_correction", ctypes.c_uint32)]
        self.library = ctypes.CDLL(path)

    def step(self, name, columns, n):
        config = getattr(self, name)
        default = getattr(self.library, f"gradus_{name.lower()}_default")
        default.restype, default.argtypes = config, [ctypes.c_float]
        config, clock = default(1e-3), self.Clock()
        call = getattr(self.library, f"gradus_{name.lower()}_step")
        params, grads, state = torch.full((n,), 0.5), gradients(n), torch.zeros(columns * n)
        pointers = [ctypes.c_void_p(tensor.data_ptr()) for tensor in (params, grads, state)]
        arguments = (ctypes.byref(config), ctypes.c_size_t(n), *pointers, ctypes.byref(clock))

        def step():
            assert call(*arguments) == 0

        step.memory = params, grads, state
        return step


def turns(steps):
    """Median nanoseconds of a call of each, which take turns."""
    calls = []
    for step in steps:
        step()
        start = time.perf_counter()
        step()
        calls.append(max(1, int(1e-3 / max(time.perf_counter() - start, 1e-7))))
    times = [[] for _ in steps]
    for _ in range(TURNS):
        for step, count, own in zip(steps, calls, times):
            step()  # brings its memory back into the caches
            start = time.perf_counter()
            for _ in range(count):
                step()
            own.append((time.perf_counter() - start) * 1e9 / count)
    return [statistics.median(own) for own in times]


def main():
    torch.set_num_threads(1)
    contestants = dict(CONTESTANTS)
    if library := os.environ.get("GRADUS"):
        gradus = Gradus(library)
        contestants["gradus Adam, from C"] = lambda n: gradus.step("Adam", 2, n)
        contestants["gradus momentum, from C"] = lambda n: gradus.step("Momentum", 1, n)
    print(f"torch {torch.__version__}, numpy {np.__version__}, one thread, ns per parameter\n")
    columns = [turns([make(n) for make in contestants.values()]) for n in SIZES]
    print("| contestant | " + " | ".join(f"{n:,}" for n in SIZES) + " |")
    print("|---|" + "--:|" * len(SIZES))
    for k, name in enumerate(contestants):
        print(f"| {name} | " + " | ".join(f"{column[k] / n:.3f}" for n, column in zip(SIZES, columns)) + " |")


if __name__ == "__main__":
    main()
