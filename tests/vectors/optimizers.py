"""Parameters after chosen steps of every first-order rule, in f32 and f64."""

import math

from common import DTYPES, PARAMS, Random, bits  # first: it sets the environment of the libraries

import jax
import keras
import numpy as np
import optax
import torch
from schedulefree import AdamWScheduleFree

# The gradients of the parameters' columns: near 1e-6 .. 1e3 in 0..9, zero in 10, zero but for every fifth step in 11,
# swinging from step to step in 12.
SCALES = [10.0**k for k in range(-6, 4)] + [0.0, 1.0]


def make_gradients(steps=30):
    random, rows, sign = Random(1), [], [1.0] * 13
    for t in range(steps):
        row = []
        for i in range(13):
            if random.uniform() < 0.25:
                sign[i] = -sign[i]
            scale = SCALES[i] if i < 12 else 10.0 ** (9 * random.uniform() - 6)
            if i == 11 and t % 5 != 0:
                scale = 0.0
            row.append(sign[i] * scale * (0.5 + random.uniform()) if scale else 0.0)
        rows.append(row)
    return np.array(rows, np.float32)


GRADIENTS = make_gradients()


def gradient(t):
    return GRADIENTS[(t - 1) % len(GRADIENTS)]


ADAM = dict(lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, eps_hat=0.0, eps_root=0.0)
DEFAULTS = {
    "sgd": dict(lr=1e-2),
    "momentum": dict(lr=1e-2, rho=0.9, dampening=0.0),
    "nesterov": dict(lr=1e-2, rho=0.9),
    "adagrad": dict(lr=1e-2, eps=1e-10, eps_root=0.0, initial_accumulator=0.0),
    "rmsprop": dict(lr=1e-2, rho=0.99, eps=1e-8, eps_root=0.0, centered=False, momentum=0.0),
    "adam": ADAM | dict(bias_correction=True),
    "adamw": ADAM | dict(weight_decay=1e-2),
    "amsgrad": dict(lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8),
    "nadam": dict(lr=2e-3, beta1=0.9, beta2=0.999, eps=1e-8, momentum_decay=4e-3),
    "adamax": dict(lr=2e-3, beta1=0.9, beta2=0.999, eps=1e-8),
    "adadelta": dict(lr=1.0, rho=0.9, eps=1e-6),
    "radam": dict(lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8),
    "lion": dict(lr=1e-4, beta1=0.9, beta2=0.99, weight_decay=0.0),
    "schedulefree": dict(lr=2.5e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0),
}


def formula(rule, h, dtype, lrs, steps):
    """Every rule written out, one rounding per operation: the meaning of `hyper`, and the check of the libraries."""
    p = PARAMS.astype(dtype)
    m, v, vmax = np.zeros_like(p), np.zeros_like(p) + dtype(h.get("initial_accumulator", 0.0)), np.zeros_like(p)
    mean, mu_product, out = np.zeros_like(p), 1.0, []
    fast, average, weights = p, p, 0.0  # z and x of schedule-free, and the sum of their weights
    for t in range(1, steps[-1] + 1):
        lr, wd = lrs(t), h.get("weight_decay", 0.0)
        g = gradient(t).astype(dtype) + dtype(h["coupled_weight_decay"]) * p
        if rule in ("adam", "adamw", "amsgrad", "nadam", "adamax", "radam"):
            b1, b2 = h["beta1"], h["beta2"]
            c1, c2 = (1 - b1**t, 1 - b2**t) if h.get("bias_correction", True) else (1.0, 1.0)
            m = m + dtype(1 - b1) * (g - m)
            v = dtype(b2) * v + dtype(1 - b2) * g * g
        if rule == "sgd":
            p = p - dtype(lr) * g
        elif rule == "momentum":
            m = g if t == 1 else dtype(h["rho"]) * m + dtype(1 - h["dampening"]) * g
            p = p - dtype(lr) * m
        elif rule == "nesterov":
            m = dtype(h["rho"]) * m + g
            p = p - dtype(lr) * (g + dtype(h["rho"]) * m)
        elif rule == "adagrad":
            v = v + g * g
            p = p - dtype(lr) * g / (np.sqrt(v + dtype(h["eps_root"])) + dtype(h["eps"]))
        elif rule == "rmsprop":
            v = dtype(h["rho"]) * v + dtype(1 - h["rho"]) * g * g
            mean = dtype(h["rho"]) * mean + dtype(1 - h["rho"]) * g
            var = v - mean * mean if h["centered"] else v
            u = g / (np.sqrt(var + dtype(h["eps_root"])) + dtype(h["eps"]))
            m = dtype(h["momentum"]) * m + u
            p = p - dtype(lr) * m
        elif rule in ("adam", "adamw"):
            p = p * dtype(1 - lr * wd)
            if h["eps_hat"]:
                p = p - dtype(lr * math.sqrt(c2) / c1) * m / (np.sqrt(v) + dtype(h["eps_hat"]))
            else:
                p = p - dtype(lr / c1) * m / (np.sqrt(v / dtype(c2) + dtype(h["eps_root"])) + dtype(h["eps"]))
        elif rule == "amsgrad":
            vmax = np.maximum(vmax, v)
            p = p - dtype(lr / c1) * m / (np.sqrt(vmax / dtype(c2)) + dtype(h["eps"]))
        elif rule == "nadam":
            mu = b1 * (1 - 0.5 * 0.96 ** (t * h["momentum_decay"]))
            mu_next = b1 * (1 - 0.5 * 0.96 ** ((t + 1) * h["momentum_decay"]))
            mu_product *= mu
            d = np.sqrt(v / dtype(c2)) + dtype(h["eps"])
            p = p - dtype(lr * (1 - mu) / (1 - mu_product)) * g / d
            p = p - dtype(lr * mu_next / (1 - mu_product * mu_next)) * m / d
        elif rule == "adamax":
            vmax = np.maximum(dtype(b2) * vmax, np.abs(g) + dtype(h["eps"]))
            p = p - dtype(lr / c1) * m / vmax
        elif rule == "adadelta":
            v = dtype(h["rho"]) * v + dtype(1 - h["rho"]) * g * g
            u = np.sqrt(m + dtype(h["eps"])) / np.sqrt(v + dtype(h["eps"])) * g
            m = dtype(h["rho"]) * m + dtype(1 - h["rho"]) * u * u
            p = p - dtype(lr) * u
        elif rule == "radam":
            n = 2 / (1 - b2) - 1
            filled = n - 2 * t * b2**t / c2
            if filled > 5:
                r = math.sqrt((filled - 4) * (filled - 2) * n / ((n - 4) * (n - 2) * filled))
                p = p - dtype(lr * r * math.sqrt(c2) / c1) * m / (np.sqrt(v) + dtype(h["eps"]))
            else:
                p = p - dtype(lr / c1) * m
        elif rule == "lion":
            u = np.sign(dtype(h["beta1"]) * m + dtype(1 - h["beta1"]) * g)
            m = dtype(h["beta2"]) * m + dtype(1 - h["beta2"]) * g
            p = p - dtype(lr) * (u + dtype(wd) * p)
        elif rule == "schedulefree":
            b1, b2 = h["beta1"], h["beta2"]
            v = dtype(b2) * v + dtype(1 - b2) * g * g
            u = g / (np.sqrt(v / dtype(1 - b2**t)) + dtype(h["eps"])) + dtype(wd) * p
            weights += lr**2
            c = lr**2 / weights
            fast = fast - dtype(lr) * u
            average = dtype(1 - c) * average + dtype(c) * fast
            p = dtype(1 - b1) * fast + dtype(b1) * average
        if t in steps:
            out.append(np.array([p, average]) if rule == "schedulefree" else p)
    return np.array(out)


def torch_optimizer(p, rule, h):
    o, plain = torch.optim, dict(lr=h["lr"], weight_decay=h["coupled_weight_decay"], foreach=False)
    if rule in ("adam", "adamw", "amsgrad", "nadam", "adamax", "radam"):
        plain |= dict(betas=(h["beta1"], h["beta2"]), eps=h["eps"])
    if rule == "sgd":
        return o.SGD(p, **plain, fused=False)
    if rule == "momentum":
        return o.SGD(p, **plain, fused=False, momentum=h["rho"], dampening=h["dampening"])
    if rule == "nesterov":
        return o.SGD(p, **plain, fused=False, momentum=h["rho"], nesterov=True)
    if rule == "adagrad":
        return o.Adagrad(p, **plain, fused=False, eps=h["eps"], initial_accumulator_value=h["initial_accumulator"])
    if rule == "rmsprop":
        return o.RMSprop(p, **plain, alpha=h["rho"], eps=h["eps"], centered=h["centered"], momentum=h["momentum"])
    if rule == "adamw":
        return o.AdamW(p, **(plain | dict(weight_decay=h["weight_decay"])), fused=False)
    if rule == "adamax":
        return o.Adamax(p, **plain)
    if rule == "adadelta":
        return o.Adadelta(p, **plain, rho=h["rho"], eps=h["eps"])
    if rule == "radam":
        return o.RAdam(p, **plain)
    if rule == "nadam":
        return o.NAdam(p, **plain, momentum_decay=h["momentum_decay"])
    return o.Adam(p, **plain, fused=False, amsgrad=rule == "amsgrad")


def run_torch(rule, h, kind, lrs, steps):
    torch.set_default_dtype(DTYPES[kind][0])  # NAdam keeps a scalar of the default type
    p = torch.nn.Parameter(torch.tensor(PARAMS).to(DTYPES[kind][0]))
    optimizer, out = torch_optimizer([p], rule, h), []
    for t in range(1, steps[-1] + 1):
        optimizer.param_groups[0]["lr"] = lrs(t)
        p.grad = torch.tensor(gradient(t)).to(p.dtype)
        optimizer.step()
        if t in steps:
            out.append(p.detach().numpy().copy())
    torch.set_default_dtype(torch.float32)
    return np.array(out), "torch.optim." + type(optimizer).__name__


def keras_optimizer(rule, h):
    o, lr = keras.optimizers, h["lr"]
    if rule in ("momentum", "nesterov"):
        return o.SGD(learning_rate=lr, momentum=h["rho"], nesterov=rule == "nesterov")
    if rule == "adagrad":
        return o.Adagrad(learning_rate=lr, epsilon=h["eps_root"], initial_accumulator_value=h["initial_accumulator"])
    if rule == "rmsprop":
        return o.RMSprop(learning_rate=lr, rho=h["rho"], epsilon=h["eps_root"], centered=h["centered"],
                         momentum=h["momentum"])
    return o.Adam(learning_rate=lr, beta_1=h["beta1"], beta_2=h["beta2"], epsilon=h["eps_hat"])


def run_keras(rule, h, kind, lrs, steps, default=False):
    dtype = DTYPES[kind][1]
    keras.config.set_floatx(np.dtype(dtype).name)
    with jax.enable_x64(kind == "f64"):
        optimizer, out = keras_optimizer(rule, h), []
        if default:  # what the preset promises is what Keras does when told nothing
            told_nothing = type(optimizer)()
            want, got = told_nothing.get_config(), optimizer.get_config()
            for key in set(want) - {"name"}:
                close = math.isclose(want[key], got[key], rel_tol=1e-6) if isinstance(want[key], float) else want[key] == got[key]
                assert close, (rule, key)
            optimizer = told_nothing
        p = keras.Variable(PARAMS.astype(dtype), dtype=np.dtype(dtype).name)
        for t in range(1, steps[-1] + 1):
            optimizer.apply([jax.numpy.asarray(gradient(t).astype(dtype))], [p])
            if t in steps:
                out.append(np.array(p.value))
        assert out[0].dtype == dtype
    keras.config.set_floatx("float32")
    return np.array(out), "keras.optimizers." + type(optimizer).__name__


def run_optax(rule, h, kind, lrs, steps):
    dtype = DTYPES[kind][1]
    with jax.enable_x64(kind == "f64"):
        if rule == "lion":
            optimizer = optax.lion(h["lr"], b1=h["beta1"], b2=h["beta2"], weight_decay=h["weight_decay"])
        else:
            optimizer = optax.adam(h["lr"], b1=h["beta1"], b2=h["beta2"], eps=h["eps"], eps_root=h["eps_root"])
        p, out = jax.numpy.asarray(PARAMS.astype(dtype)), []
        state = optimizer.init(p)
        for t in range(1, steps[-1] + 1):
            u, state = optimizer.update(jax.numpy.asarray(gradient(t).astype(dtype)), state, p)
            p = optax.apply_updates(p, u)
            if t in steps:
                out.append(np.array(p))
        assert out[0].dtype == dtype
    return np.array(out), "optax." + rule


def run_free(rule, h, kind, lrs, steps):
    """The parameters of the training and their average, of the package of the paper's authors."""
    p, out = torch.nn.Parameter(torch.tensor(PARAMS).to(DTYPES[kind][0])), []
    decay = dict(weight_decay=h["weight_decay"], foreach=False)
    optimizer = AdamWScheduleFree([p], lr=h["lr"], betas=(h["beta1"], h["beta2"]), eps=h["eps"], **decay)
    optimizer.train()
    for t in range(1, steps[-1] + 1):
        optimizer.param_groups[0]["lr"] = lrs(t)
        p.grad = torch.tensor(gradient(t)).to(p.dtype)
        optimizer.step()
        if t in steps:
            training = p.detach().clone()
            optimizer.eval()
            out.append(np.array([training.numpy(), p.detach().numpy().copy()]))
            optimizer.train()
            p.data = training  # to the bit: going back and forth would round
    return np.array(out), "schedulefree.AdamWScheduleFree"


def case(library, rule, variant, lr_changes=(), steps=(1, 2, 3, 10, 30), **hyper):
    name = f"{rule}/{library}/{variant}"
    h = DEFAULTS[rule] | dict(coupled_weight_decay=0.0) | hyper
    assert set(h) == set(DEFAULTS[rule]) | {"coupled_weight_decay"}, name
    lrs = lambda t: ([h["lr"]] + [lr for first, lr in lr_changes if t >= first])[-1]
    run, result = {"torch": run_torch, "keras": run_keras, "optax": run_optax, "schedulefree": run_free}.get(library), {}
    for kind, (_, dtype) in DTYPES.items():
        if run is None:
            result[kind], source = formula(rule, h, dtype, lrs, steps), "formula"
        elif run is run_keras:
            result[kind], source = run(rule, h, kind, lrs, steps, default=variant == "default")
        else:
            result[kind], source = run(rule, h, kind, lrs, steps)
        assert result[kind].dtype == dtype and np.isfinite(result[kind]).all(), name
    want = formula(rule, h, np.float64, lrs, steps)
    scale = np.abs(np.vstack([PARAMS, want.reshape(-1, len(PARAMS))])).max(axis=0)
    assert (np.abs(result["f64"] - want) <= 1e-12 * scale).all(), (name, result["f64"] - want)
    # Not a verdict on f32, only that both runs are the same rule.
    assert (np.abs(result["f32"] - want) <= 1e-4 * scale).all(), (name, result["f32"] - want)
    more = {}
    if rule == "schedulefree":
        average = {kind: result[kind][:, 1] for kind in result}
        more = dict(average_f32=bits(average["f32"]), average_f64=average["f64"].tolist())
        result = {kind: result[kind][:, 0] for kind in result}
    return dict(name=name, source=source, rule=rule, hyper=h, lr_changes=[list(c) for c in lr_changes],
                steps=list(steps), f32=bits(result["f32"]), f64=result["f64"].tolist(), **more)


def make():
    long = (1, 10, 100, 1000)
    changes = [(11, 1e-3), (21, 5e-2)]
    outside, root = dict(eps=0.0), dict(eps=0.0, eps_root=1e-7)
    cases = [
        case("torch", "sgd", "plain"),
        case("torch", "sgd", "weight_decay", coupled_weight_decay=0.1),
        case("torch", "momentum", "rho0.9"),
        case("torch", "momentum", "rho0.5", lr=0.1, rho=0.5),
        case("torch", "momentum", "rho0.99", rho=0.99),
        case("torch", "momentum", "dampening", dampening=0.5),
        case("torch", "momentum", "weight_decay", lr=0.1, coupled_weight_decay=0.05),
        case("torch", "momentum", "lr_changes", lr_changes=changes),
        case("torch", "nesterov", "rho0.9"),
        case("torch", "nesterov", "rho0.5", lr=0.1, rho=0.5),
        case("torch", "nesterov", "weight_decay", lr=0.1, coupled_weight_decay=0.05),
        case("torch", "nesterov", "lr_changes", lr_changes=changes),
        case("torch", "adagrad", "default"),
        case("torch", "adagrad", "initial_accumulator", lr=0.1, initial_accumulator=0.1),
        case("torch", "adagrad", "large_eps", lr=0.1, eps=1e-3),
        case("torch", "adagrad", "weight_decay", lr=0.1, coupled_weight_decay=0.1),
        case("torch", "adagrad", "lecture", eps=1e-7),
        case("torch", "rmsprop", "default"),
        case("torch", "rmsprop", "large_eps", rho=0.9, eps=1e-3),
        case("torch", "rmsprop", "lecture", eps=1e-7),
        case("torch", "rmsprop", "centered", centered=True),
        case("torch", "rmsprop", "momentum", momentum=0.9),
        case("torch", "rmsprop", "centered_momentum", lr=1e-3, rho=0.9, eps=1e-4, centered=True, momentum=0.5),
        case("torch", "rmsprop", "weight_decay", coupled_weight_decay=0.1),
        case("torch", "rmsprop", "momentum_lr_changes", momentum=0.9, lr_changes=changes),
        case("torch", "adam", "default"),
        case("torch", "adam", "large_eps", lr=0.1, eps=1e-3),
        case("torch", "adam", "small_betas", lr=1e-2, beta1=0.5, beta2=0.9, eps=1e-6),
        case("torch", "adam", "beta1_zero", lr=1e-2, beta1=0.0, beta2=0.98),
        case("torch", "adam", "weight_decay", lr=1e-2, coupled_weight_decay=0.1),
        case("torch", "adam", "lecture", eps=1e-7),
        case("torch", "adam", "long", steps=long),
        case("formula", "adam", "no_bias_correction", bias_correction=False),
        case("formula", "adam", "no_bias_correction_large_eps", lr=1e-2, eps=1e-3, bias_correction=False),
        case("torch", "adamw", "default"),
        case("torch", "adamw", "weight_decay0.1", lr=0.1, weight_decay=0.1),
        case("torch", "adamw", "large_eps", lr=1e-2, eps=1e-3),
        case("torch", "amsgrad", "default"),
        case("torch", "amsgrad", "small_betas", lr=1e-2, beta1=0.8, beta2=0.9),
        case("torch", "amsgrad", "large_eps", lr=1e-2, eps=1e-3),
        case("torch", "nadam", "default"),
        case("torch", "nadam", "momentum_decay0", lr=1e-2, momentum_decay=0.0),
        case("torch", "nadam", "large_eps", lr=1e-2, eps=1e-3, momentum_decay=0.1),
        case("torch", "nadam", "weight_decay", coupled_weight_decay=0.1),
        case("torch", "nadam", "long", steps=long),
        case("torch", "adamax", "default"),
        case("torch", "adamax", "large_eps", lr=0.1, beta1=0.5, beta2=0.9, eps=1e-3),
        case("torch", "adamax", "weight_decay", coupled_weight_decay=0.1),
        case("torch", "adadelta", "default"),
        case("torch", "adadelta", "large_eps", lr=0.1, rho=0.99, eps=1e-2),
        case("torch", "adadelta", "weight_decay", coupled_weight_decay=0.1),
        case("torch", "radam", "default"),
        case("torch", "radam", "small_betas", lr=1e-2, beta1=0.5, beta2=0.9, eps=1e-3),
        case("torch", "radam", "never_adaptive", lr=1e-2, beta2=0.5),
        case("torch", "radam", "weight_decay", coupled_weight_decay=0.1),
        case("torch", "radam", "long", steps=long),
        case("optax", "lion", "default_betas"),
        case("optax", "lion", "lr0.01", lr=1e-2, beta1=0.95, beta2=0.98),
        case("optax", "lion", "weight_decay", lr=1e-2, weight_decay=0.1),
        case("schedulefree", "schedulefree", "default"),
        case("schedulefree", "schedulefree", "small_betas", lr=1e-2, beta1=0.5, beta2=0.9, eps=1e-3),
        case("schedulefree", "schedulefree", "weight_decay", lr=1e-2, weight_decay=0.1),
        case("schedulefree", "schedulefree", "warm_up", lr=1e-3, lr_changes=[(2, 2e-3), (3, 5e-3), (11, 1e-2)]),
        case("schedulefree", "schedulefree", "long", steps=long),
        case("keras", "momentum", "rho0.9"),
        case("keras", "nesterov", "rho0.9"),
        case("keras", "adagrad", "default", lr=1e-3, **root, initial_accumulator=0.1),
        case("keras", "adagrad", "large_eps", lr=0.1, **(root | dict(eps_root=1e-3))),
        case("keras", "rmsprop", "default", lr=1e-3, rho=0.9, **root),
        case("keras", "rmsprop", "large_eps", rho=0.9, **(root | dict(eps_root=1e-3))),
        case("keras", "rmsprop", "centered_momentum", lr=1e-3, rho=0.9, **root, centered=True, momentum=0.9),
        case("keras", "adam", "default", **outside, eps_hat=1e-7),
        case("keras", "adam", "large_eps", lr=1e-2, **outside, eps_hat=1e-3),
        case("optax", "adam", "eps_root", **(root | dict(eps_root=1e-8))),
        case("optax", "adam", "large_eps_root", lr=1e-2, **(root | dict(eps_root=1e-3))),
        case("optax", "adam", "eps_and_eps_root", lr=1e-2, eps=1e-3, eps_root=1e-4),
    ]
    return dict(n=len(PARAMS), params=bits(PARAMS), gradients=bits(GRADIENTS), cases=cases)
