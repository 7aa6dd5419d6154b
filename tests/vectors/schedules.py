"""Learning rates of PyTorch's schedulers, each checked against its closed form."""

import math

import numpy as np
import torch

from common import Random, bits


def optimizer_of(lr):
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr or 1.0, momentum=0.9)


def run(name, lr, closed_form, steps=201, momentum=None, make=None, **hyper):
    """The rates of `steps` steps, and the momenta where `momentum` is their closed form."""
    optimizer = optimizer_of(lr)
    kind = getattr(torch.optim.lr_scheduler, name.split("/")[0])
    scheduler, lrs, momenta = make(optimizer) if make else kind(optimizer, **hyper), [], []
    for step in range(steps):
        lrs.append(float(optimizer.param_groups[0]["lr"]))
        momenta.append(float(optimizer.param_groups[0]["momentum"]))
        optimizer.step()
        if step + 1 < steps:
            scheduler.step()
    for got, form in ((lrs, closed_form), (momenta, momentum)):
        if form:
            want = np.array([form(t) for t in range(steps)])
            assert np.allclose(got, want, rtol=1e-9, atol=1e-15), (name, np.abs(got - want).max())
    if lr is not None:
        hyper = dict(lr=lr) | hyper
    return dict(name=name, source="torch.optim.lr_scheduler." + kind.__name__, hyper=hyper, lr=lrs,
                momentum=momenta if momentum else None)


def cosine(high, low, fraction):
    return low + (high - low) * (1 + math.cos(math.pi * fraction)) / 2


def warm_restarts(lr, low, first, mult):
    def at(t):
        length = first
        while t >= length:
            t, length = t - length, length * mult
        return cosine(lr, low, t / length)
    return at


def triangle(low, high, up, down, peak=lambda t, n: 1):
    def at(t):
        n, i = divmod(t, up + down)
        return low + (high - low) * peak(t, n) * (i / up if i <= up else (up + down - i) / down)
    return at


def one_cycle(start, top, end, total, rise, three=False, way=cosine):
    up = rise * total - 1
    knots = [(0, start), (up, top), (2 * up, start), (total - 1, end)] if three else [(0, start), (up, top), (total - 1, end)]

    def at(t):
        for (t0, a), (t1, b) in zip(knots, knots[1:]):
            if t <= t1:
                return way(a, b, (t - t0) / (t1 - t0))
    return at


def one_cycle_lr(name, total, rise, three=False, strategy="cos"):
    way = cosine if strategy == "cos" else lambda a, b, fraction: a + (b - a) * fraction
    form = one_cycle(0.1 / 25, 0.1, 0.1 / 25 / 1e4, total, rise, three, way)
    momentum = one_cycle(0.95, 0.85, 0.95, total, rise, three, way)
    return run("OneCycleLR/" + name, None, form, steps=total, momentum=momentum, max_lr=0.1, total_steps=total, div_factor=25.0,
               final_div_factor=1e4, pct_start=rise, anneal_strategy=strategy, three_phase=three)


def cyclic_lr(name, up, down, peak=lambda t, n: 1, **hyper):
    return run("CyclicLR/" + name, None, triangle(1e-3, 0.1, up, down, peak), momentum=triangle(0.9, 0.8, up, down, peak),
               base_lr=1e-3, max_lr=0.1, step_size_up=up, step_size_down=down, **hyper)


def sequence(*parts):
    """Schedulers one after the other: (make, its steps) each, the last without an end."""
    def make(optimizer):
        milestones = np.cumsum([steps for _, steps in parts[:-1]]).tolist()
        return torch.optim.lr_scheduler.SequentialLR(optimizer, [kind(optimizer) for kind, _ in parts], milestones)
    return make


def stable_decay(way):
    """A warm-up of 20 steps, 100 of 0.1, and a fall of 60."""
    def at(t):
        return 0.1 * (t / 20 if t < 20 else 1 if t < 120 else way(min(t - 120, 60) / 60))
    return at


def warm_up_stable_decay(name, way):
    schedulers = torch.optim.lr_scheduler
    return run("SequentialLR/" + name, 0.1, stable_decay(way), make=sequence(
        (lambda o: schedulers.LambdaLR(o, lambda t: t / 20), 20), (lambda o: schedulers.ConstantLR(o, 1.0), 100),
        (lambda o: schedulers.LambdaLR(o, lambda t: way(min(t, 60) / 60)), None)))


def plateau(name, metrics, **hyper):
    optimizer = optimizer_of(0.1)
    scheduler, lrs = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **hyper), []
    for metric in metrics:
        scheduler.step(float(metric))
        lrs.append(float(optimizer.param_groups[0]["lr"]))
    defaults = dict(mode="min", factor=0.1, patience=10, threshold=1e-4, threshold_mode="rel", cooldown=0, min_lr=0.0, eps=1e-8)
    return dict(name=name, hyper=dict(lr=0.1) | defaults | hyper, metrics=bits(metrics), lr=lrs)


def plateaus():
    random = Random(18)
    noise = random.array(40, low=0.0, high=0.3)
    falling = (np.exp(-np.arange(40) / 10).astype(np.float32) + noise).astype(np.float32)
    rising = (np.float32(1.0) - falling).astype(np.float32)
    flat, slow = np.full(40, 0.5, np.float32), (1 - np.arange(40) * 0.004).astype(np.float32)
    return [
        plateau("defaults", falling), plateau("flat", flat), plateau("patient", falling, patience=2, factor=0.5),
        plateau("impatient", falling, patience=0, factor=0.5), plateau("cooldown", flat, patience=1, factor=0.5, cooldown=3),
        plateau("max", rising, mode="max", patience=2, factor=0.5), plateau("min_lr", flat, patience=0, factor=0.5, min_lr=0.02),
        plateau("eps", flat, patience=0, factor=0.5, eps=0.02), plateau("absolute", slow, patience=1, threshold=0.01, threshold_mode="abs"),
        plateau("relative", slow, patience=1, threshold=0.01), plateau("max_absolute", -slow, mode="max", patience=1, threshold=0.01,
                                                                       threshold_mode="abs"),
        plateau("max_relative", 1 / slow, mode="max", patience=1, threshold=0.01, cooldown=1),
        plateau("negative", -falling, patience=1), plateau("max_negative", slow - 2, mode="max", patience=1, factor=0.0),
    ]


def make():
    schedulers = torch.optim.lr_scheduler
    return dict(cases=[
        run("StepLR", 0.1, lambda t: 0.1 * 0.5 ** (t // 30), step_size=30, gamma=0.5),
        run("StepLR/grows", 0.1, lambda t: 0.1 * 1.5 ** (t // 10), step_size=10, gamma=1.5),
        run("MultiStepLR", 0.1, lambda t: 0.1 * 0.2 ** sum(t >= m for m in (30, 80, 150)),
            milestones=[30, 80, 150], gamma=0.2),
        run("MultiStepLR/twice", 0.1, lambda t: 0.1 * 0.5 ** sum(t >= m for m in (0, 30, 30, 7)),
            milestones=[0, 30, 30, 7], gamma=0.5),
        run("ExponentialLR", 0.1, lambda t: 0.1 * 0.97**t, gamma=0.97),
        run("ExponentialLR/grows", 1e-5, lambda t: 1e-5 * 1.05**t, gamma=1.05),
        run("LinearLR/up", 0.1, lambda t: 0.1 * (0.25 + 0.75 * min(t, 50) / 50),
            start_factor=0.25, end_factor=1.0, total_iters=50),
        run("PolynomialLR/0.9", 0.1, lambda t: 0.1 * (1 - min(t, 150) / 150) ** 0.9, total_iters=150, power=0.9),
        run("PolynomialLR/2", 0.1, lambda t: 0.1 * (1 - min(t, 200) / 200) ** 2, total_iters=200, power=2.0),
        run("LambdaLR/inverse_sqrt", 0.1, lambda t: 0.1 * min((t + 1) / 10, (10 / (t + 1)) ** 0.5),
            make=lambda o: schedulers.LambdaLR(o, lambda t: (10 / max(t + 1, 10)) ** 0.5 * min((t + 1) / 10, 1))),
        run("CosineAnnealingLR/to_zero", 0.1, lambda t: cosine(0.1, 0.0, t / 200), T_max=200, eta_min=0.0),
        run("CosineAnnealingLR/eta_min", 0.1, lambda t: cosine(0.1, 1e-3, t / 120), T_max=120, eta_min=1e-3),
        run("CosineAnnealingWarmRestarts/1x3", 0.1, warm_restarts(0.1, 0.0, 1, 3), T_0=1, T_mult=3, eta_min=0.0),
        run("CosineAnnealingWarmRestarts/5x2", 0.1, warm_restarts(0.1, 1e-3, 5, 2), T_0=5, T_mult=2, eta_min=1e-3),
        run("CosineAnnealingWarmRestarts/40x1", 0.1, warm_restarts(0.1, 0.0, 40, 1), T_0=40, T_mult=1, eta_min=0.0),
        run("SequentialLR/three", 0.1,
            lambda t: 0.05 if t < 20 else 0.1 * 0.9 ** (t - 20) if t < 60 else cosine(0.1, 0.01, (t - 60) / 140),
            make=sequence((lambda o: schedulers.ConstantLR(o, 0.5, 1000), 20), (lambda o: schedulers.ExponentialLR(o, 0.9), 40),
                          (lambda o: schedulers.CosineAnnealingLR(o, 140, 0.01), None))),
        warm_up_stable_decay("stable_line", lambda x: 1 - x),
        warm_up_stable_decay("stable_cosine", lambda x: cosine(1, 0, x)),
        warm_up_stable_decay("stable_root", lambda x: 1 - x**0.5),
        cyclic_lr("even", 20, 20),
        cyclic_lr("uneven", 15, 25),
        cyclic_lr("triangular2", 15, 25, lambda t, n: 0.5**n, mode="triangular2"),
        cyclic_lr("exp_range", 15, 25, lambda t, n: 0.99**t, mode="exp_range", gamma=0.99),
        one_cycle_lr("cos", 201, 0.3),
        one_cycle_lr("three_phase", 201, 0.3, three=True),
        one_cycle_lr("linear", 201, 0.3, strategy="linear"),
        one_cycle_lr("linear_three_phase", 150, 0.5, three=True, strategy="linear"),
        one_cycle_lr("no_rise", 10, 0.0),
        one_cycle_lr("all_rise", 10, 1.0),
        one_cycle_lr("two_steps", 2, 0.3),
        one_cycle_lr("one_step", 1, 0.3),
        one_cycle_lr("before_the_start", 10, 0.05),
        one_cycle_lr("no_top", 10, 0.05, three=True),
        one_cycle_lr("half", 10, 0.5, three=True),
        one_cycle_lr("no_end", 10, 0.6, three=True),
    ], plateaus=plateaus())
