"""Learning rates of PyTorch's schedulers, each checked against its closed form."""

import math

import numpy as np
import torch


def run_scheduler(name, lr, closed_form, **hyper):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr or 1.0, momentum=0.9)
    kind = getattr(torch.optim.lr_scheduler, name.split("/")[0])
    scheduler, lrs = kind(optimizer, **hyper), []
    for step in range(201):
        lrs.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        if step < 200:
            scheduler.step()
    want = np.array([closed_form(t) for t in range(201)])
    assert np.allclose(lrs, want, rtol=1e-9, atol=1e-15), (name, np.abs(lrs - want).max())
    if lr is not None:
        hyper = dict(lr=lr) | hyper
    return dict(name=name, source="torch.optim.lr_scheduler." + kind.__name__, hyper=hyper, lr=lrs)


def cosine(high, low, fraction):
    return low + (high - low) * (1 + math.cos(math.pi * fraction)) / 2


def warm_restarts(lr, low, first, mult):
    def at(t):
        length = first
        while t >= length:
            t, length = t - length, length * mult
        return cosine(lr, low, t / length)
    return at


def triangle(low, high, up, down):
    def at(t):
        t %= up + down
        return low + (high - low) * (t / up if t <= up else (up + down - t) / down)
    return at


def one_cycle(top, total, start, div, final, three=False):
    first, last, up = top / div, top / div / final, start * total - 1
    knots = [(0, first), (up, top), (2 * up, first), (total - 1, last)] if three else [(0, first), (up, top), (total - 1, last)]

    def at(t):
        for (t0, a), (t1, b) in zip(knots, knots[1:]):
            if t <= t1:
                return cosine(a, b, (t - t0) / (t1 - t0))
    return at


def make():
    run = run_scheduler
    cycle = dict(max_lr=0.1, total_steps=201, div_factor=25.0, final_div_factor=1e4, pct_start=0.3)
    return dict(cases=[
        run("StepLR", 0.1, lambda t: 0.1 * 0.5 ** (t // 30), step_size=30, gamma=0.5),
        run("MultiStepLR", 0.1, lambda t: 0.1 * 0.2 ** sum(t >= m for m in (30, 80, 150)),
            milestones=[30, 80, 150], gamma=0.2),
        run("ExponentialLR", 0.1, lambda t: 0.1 * 0.97**t, gamma=0.97),
        run("LinearLR/up", 0.1, lambda t: 0.1 * (0.25 + 0.75 * min(t, 50) / 50),
            start_factor=0.25, end_factor=1.0, total_iters=50),
        run("CosineAnnealingLR/to_zero", 0.1, lambda t: cosine(0.1, 0.0, t / 200), T_max=200, eta_min=0.0),
        run("CosineAnnealingLR/eta_min", 0.1, lambda t: cosine(0.1, 1e-3, t / 120), T_max=120, eta_min=1e-3),
        run("CosineAnnealingWarmRestarts/1x3", 0.1, warm_restarts(0.1, 0.0, 1, 3), T_0=1, T_mult=3, eta_min=0.0),
        run("CosineAnnealingWarmRestarts/5x2", 0.1, warm_restarts(0.1, 1e-3, 5, 2), T_0=5, T_mult=2, eta_min=1e-3),
        run("CosineAnnealingWarmRestarts/40x1", 0.1, warm_restarts(0.1, 0.0, 40, 1), T_0=40, T_mult=1, eta_min=0.0),
        run("CyclicLR/even", None, triangle(1e-3, 0.1, 20, 20), base_lr=1e-3, max_lr=0.1, step_size_up=20, step_size_down=20),
        run("CyclicLR/uneven", None, triangle(1e-3, 0.1, 15, 25), base_lr=1e-3, max_lr=0.1, step_size_up=15, step_size_down=25),
        run("OneCycleLR/cos", None, one_cycle(0.1, 201, 0.3, 25, 1e4), **cycle, anneal_strategy="cos", three_phase=False),
        run("OneCycleLR/three_phase", None, one_cycle(0.1, 201, 0.3, 25, 1e4, three=True), **cycle,
            anneal_strategy="cos", three_phase=True),
    ])
