"""What the generators share: the library settings, deterministic inputs, and how numbers are written."""

import json
import math
import os

os.environ["ATEN_CPU_CAPABILITY"] = "default"  # the same kernels, so the same f32 bits, on every x86-64
os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["XLA_FLAGS"] = "--xla_cpu_max_isa=SSE4_2"  # likewise for jax, which compiles for the machine it runs on

import numpy as np
import torch

torch.set_num_threads(1)
DTYPES = {"f32": (torch.float32, np.float32), "f64": (torch.float64, np.float64)}


class Random:
    """SplitMix64 (Steele, Lea and Flood, 2014): a few lines that no library version changes."""

    def __init__(self, seed):
        self.state = seed

    def uniform(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) % 2**64
        z = self.state
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ z >> 27) * 0x94D049BB133111EB % 2**64
        return ((z ^ z >> 31) >> 11) / 2**53

    def array(self, *shape, low=-1.0, high=1.0):
        flat = [low + (high - low) * self.uniform() for _ in range(math.prod(shape))]
        return np.array(flat, np.float32).reshape(shape)


# The initial parameters; optimizers.py says which gradients the columns get.
# Small gradients meet zero or small parameters, else the updates would drown in the parameter's last bit. No value is a
# multiple of a learning rate: a step that ends near zero would magnify the rounding of the step before.
PARAMS = np.array([0, -2.3e-5, 0, 0.0137, -0.53, 1.57, -2.11, 0, 3.07, -10.3, 0.75, 1.03, 0.263], np.float32)


def bits(x):
    assert x.dtype == np.float32
    return np.ascontiguousarray(x).view(np.uint32).tolist()


def layout(x, indent=0):
    """JSON with one line for every list or object that holds no other: short and still readable in a diff."""
    values = list(x.values()) if isinstance(x, dict) else x
    if not isinstance(x, (dict, list)) or not any(isinstance(v, (dict, list)) for v in values):
        return json.dumps(x, allow_nan=False, separators=(",", ":"))
    pad = "\n" + " " * (indent + 1)
    body = [layout(v, indent + 1) for v in values]
    if isinstance(x, dict):
        return "{" + pad + ("," + pad).join(f"{json.dumps(k)}: {v}" for k, v in zip(x, body)) + "\n" + " " * indent + "}"
    return "[" + pad + ("," + pad).join(body) + "\n" + " " * indent + "]"
