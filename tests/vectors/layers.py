"""Normalisation, fractional max pooling, affine sampling, changes of images and penalties, by PyTorch, torchvision and Keras."""

import math

from common import DTYPES, PARAMS, Random, bits  # first: it sets the environment of the libraries

import keras
import numpy as np
import torch
import torch.nn.functional as F
import torchvision.transforms.v2 as T
import torchvision.transforms.v2.functional as V


def both(results):
    """{"f32": .., "f64": ..} of flat results from a function of the torch type."""
    out = {}
    for kind, (dtype, _) in DTYPES.items():
        flat = lambda x: bits(x.reshape(-1)) if kind == "f32" else x.reshape(-1).tolist()
        out[kind] = {key: flat(value.detach().numpy()) for key, value in results(dtype).items()}
    return out


def batch_norm(name, batches, channels, spatial, momentum, running_decay, eps, weight, bias, offset, spread, seed):
    random = Random(seed)
    offset, spread = (np.array(x, np.float32)[None, :, None] for x in (offset, spread))
    batches = [(random.array(n, channels, spatial) * spread + offset, random.array(n, channels, spatial)) for n in batches]
    runs = {}
    for kind, (dtype, _) in DTYPES.items():
        layer = torch.nn.BatchNorm1d(channels, eps=eps, momentum=momentum, dtype=dtype)
        layer.weight.data, layer.bias.data = torch.tensor(weight, dtype=dtype), torch.tensor(bias, dtype=dtype)
        runs[kind] = []
        for i, (x, dy) in enumerate(batches):
            last = i + 1 == len(batches)  # the last batch is for inference
            layer.train(not last)
            layer.zero_grad()
            x = torch.tensor(x).to(dtype).requires_grad_()
            y = layer(x)
            y.backward(torch.tensor(dy).to(dtype))
            result = dict(output=y.detach(), grad_input=x.grad)
            if not last:
                result |= dict(grad_weight=layer.weight.grad, grad_bias=layer.bias.grad,
                               running_mean=layer.running_mean, running_var=layer.running_var)
            result = {key: value.numpy().reshape(-1).copy() for key, value in result.items()}
            runs[kind].append({key: bits(v) if kind == "f32" else v.tolist() for key, v in result.items()})
    steps = [dict(batch=len(x), input=bits(x.reshape(-1)), grad_output=bits(dy.reshape(-1)), f32=a, f64=b)
             for (x, dy), a, b in zip(batches, runs["f32"], runs["f64"])]
    return dict(name=name, channels=channels, spatial=spatial, eps=eps, momentum=momentum, running_decay=running_decay,
                weight=bits(np.array(weight, np.float32)), bias=bits(np.array(bias, np.float32)),
                steps=steps[:-1], inference=steps[-1])


def batch_norm_keras(name, batches, channels, spatial, momentum, eps, seed):
    """By Keras' formula in f64, which its layer is compared with in f32. Keras wants the channels last."""
    random, mean, variance = Random(seed), np.zeros(channels), np.ones(channels)
    layer = keras.layers.BatchNormalization(momentum=momentum, epsilon=eps)
    steps = []
    for n in batches:
        x = 2 * random.array(n, channels, spatial) + np.float32(1)
        layer(x.transpose(0, 2, 1), training=True)
        wide = x.astype(np.float64)
        mean = momentum * mean + (1 - momentum) * wide.mean((0, 2))
        variance = momentum * variance + (1 - momentum) * wide.var((0, 2))
        np.testing.assert_allclose(layer.moving_mean, mean, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(layer.moving_variance, variance, rtol=1e-5)
        steps.append(dict(batch=n, input=bits(x.reshape(-1)), moving_mean=mean.tolist(), moving_variance=variance.tolist()))
    x = random.array(2, channels, spatial)
    y = (x - mean[None, :, None]) / np.sqrt(variance + eps)[None, :, None]
    np.testing.assert_allclose(layer(x.transpose(0, 2, 1)), y.transpose(0, 2, 1), rtol=1e-4, atol=1e-5)
    return dict(name=name, channels=channels, spatial=spatial, momentum=momentum, eps=eps, steps=steps,
                inference=dict(batch=2, input=bits(x.reshape(-1)), output=y.reshape(-1).tolist()))


def sample_norm(name, layer, shape, groups, channels, eps, offset, spread, seed):
    """A training pass of group or layer normalisation. `layer` makes it for a dtype; weight and bias have `channels` numbers."""
    random = Random(seed)
    x = np.float32(spread) * random.array(*shape) + np.float32(offset)
    dy, weight, bias = random.array(*shape), random.array(channels, low=-2.0, high=2.0), random.array(channels)

    def run(dtype):
        norm = layer(dtype)
        norm.weight.data, norm.bias.data = torch.tensor(weight).to(dtype), torch.tensor(bias).to(dtype)
        wide = torch.tensor(x).to(dtype).requires_grad_()
        y = norm(wide)
        y.backward(torch.tensor(dy).to(dtype))
        return dict(output=y, grad_input=wide.grad, grad_weight=norm.weight.grad, grad_bias=norm.bias.grad)

    rows = x.astype(np.float64).reshape(shape[0] * groups, -1)
    return dict(name=name, batch=shape[0], channels=channels, spatial=shape[2] if len(shape) > 2 else 1, groups=groups, eps=eps,
                weight=bits(weight), bias=bits(bias), input=bits(x.reshape(-1)), grad_output=bits(dy.reshape(-1)),
                mean=rows.mean(1).tolist(), variance=rows.var(1).tolist()) | both(run)


def group_norm(name, shape, groups, eps=1e-5, offset=0.0, spread=1.0, seed=0):
    layer = lambda dtype: torch.nn.GroupNorm(groups, shape[1], eps=eps, dtype=dtype)
    return sample_norm(name, layer, shape, groups, shape[1], eps, offset, spread, seed)


def layer_norm(name, rows, features, eps=1e-5, offset=0.0, spread=1.0, seed=0):
    layer = lambda dtype: torch.nn.LayerNorm(features, eps=eps, dtype=dtype)
    return sample_norm(name, layer, (rows, features), 1, features, eps, offset, spread, seed)


class Always:
    """A distribution with one value."""

    def __init__(self, value):
        self.value = value

    def sample(self, _):
        return torch.tensor(self.value, dtype=torch.float64)


def mixed(kind, share, seed, size=(6, 9)):
    """Two images and their labels under torchvision's MixUp or CutMix, with a given share; CutMix draws its centre by `seed`."""
    height, width = size
    images = Random(seed).array(2, 3, height, width, low=0.0, high=1.0)
    transform = (T.MixUp if kind == "mixup" else T.CutMix)(num_classes=2)
    transform._dist = Always(share)
    torch.manual_seed(seed)
    column, row = (int(torch.randint(n, size=(1,))) for n in (width, height))  # what CutMix will draw
    torch.manual_seed(seed)
    x, labels = transform(torch.tensor(images).double(), torch.tensor([0, 1]))
    return dict(name=kind, share=share, centre=[row, column], height=height, width=width,
                first=bits(images[0].reshape(-1)), second=bits(images[1].reshape(-1)), f64=x[0].reshape(-1).tolist(),
                label=labels[0].tolist())


def intervals(sample, size, out, pool):
    """PyTorch's window starts (aten/src/ATen/native/FractionalMaxPooling.h), in f32."""
    f = np.float32
    alpha = f(size - pool) / f(out - 1) if out > 1 else f(0)
    starts = [int((f(i) + sample) * alpha) - int(sample * alpha) for i in range(out - 1)]
    return starts + [size - pool]


def fractional_max_pool(name, batch, channels, size, pool, out, seed, values=None, samples=None):
    random = Random(seed)
    x, u = random.array(batch, channels, *size), random.array(batch, channels, 2, low=0.0)
    if values is not None:
        x = np.array(values, np.float32).reshape(x.shape)
    if samples is not None:
        u = np.array(samples, np.float32).reshape(u.shape)
    dy = random.array(batch, channels, *out)
    assert u.min() >= 0 and u.max() < 1
    layer = torch.nn.FractionalMaxPool2d(pool, output_size=out, return_indices=True, _random_samples=torch.tensor(u))
    input = torch.tensor(x).requires_grad_()
    y, indices = layer(input)
    y.backward(torch.tensor(dy))
    planes = u.reshape(-1, 2)
    starts_width = [intervals(s[0], size[1], out[1], pool[1]) for s in planes]
    starts_height = [intervals(s[1], size[0], out[0], pool[0]) for s in planes]
    # The formula of the starts, checked against what PyTorch did.
    flat, got = x.reshape(len(planes), *size), indices.numpy().reshape(len(planes), *out)
    for p in range(len(planes)):
        for i, r in enumerate(starts_height[p]):
            for j, c in enumerate(starts_width[p]):
                window = flat[p, r : r + pool[0], c : c + pool[1]].reshape(-1)
                nan = np.flatnonzero(np.isnan(window))
                k = int(nan[-1]) if len(nan) else int(np.argmax(window))
                assert got[p, i, j] == (r + k // pool[1]) * size[1] + c + k % pool[1], name
    return dict(name=name, batch=batch, channels=channels, height=size[0], width=size[1], pool_height=pool[0], pool_width=pool[1],
                out_height=out[0], out_width=out[1], samples=bits(u.reshape(-1)), starts_width=starts_width,
                starts_height=starts_height, input=bits(x.reshape(-1)), output=bits(y.detach().numpy().reshape(-1)),
                indices=indices.reshape(-1).tolist(), grad_output=bits(dy.reshape(-1)),
                grad_input=bits(input.grad.numpy().reshape(-1)))


def affine(name, theta, align_corners, channels=1, size=(4, 5), out=(4, 5), seed=7):
    image = Random(seed).array(channels, *size, low=0.0)

    def sample(dtype):
        grid = F.affine_grid(torch.tensor([theta], dtype=dtype).reshape(1, 2, 3), [1, channels, *out], align_corners=align_corners)
        y = F.grid_sample(torch.tensor(image).to(dtype)[None], grid, mode="bilinear", padding_mode="zeros", align_corners=align_corners)
        return dict(grid=grid, output=y)

    result = both(sample)
    return dict(name=f"{name}/{'corners' if align_corners else 'centres'}", align_corners=align_corners, channels=channels,
                height=size[0], width=size[1], out_height=out[0], out_width=out[1], theta=theta, input=bits(image.reshape(-1)),
                grid=result["f64"]["grid"], f32=result["f32"]["output"], f64=result["f64"]["output"])


def changed(name, change, *numbers, size=(5, 6), out=None, seed=31):
    """An image of three channels in f64 under a function of torchvision."""
    image = Random(seed).array(3, *size, low=0.25, high=0.75)
    y = change(torch.tensor(image).double(), *numbers)
    assert tuple(y.shape) == (3, *(out or size))
    return dict(name=name, numbers=numbers, height=size[0], width=size[1], out_height=y.shape[1], out_width=y.shape[2],
                input=bits(image.reshape(-1)), f64=y.reshape(-1).tolist())


def penalty(name, strength, beta, r):
    def value(dtype):
        w = torch.tensor(PARAMS).to(dtype).requires_grad_()
        value = strength * r(w).sum()
        value.backward()
        return dict(value=value, gradient=w.grad)

    result = both(value)
    for kind in result:
        result[kind]["value"] = result[kind]["value"][0]
    return {"name": name, "lambda": strength, "beta": beta, "params": bits(PARAMS)} | result


def make():
    inf, nan, turn = math.inf, math.nan, math.radians(30)
    norms = [
        batch_norm("batch1_spatial5", [1, 1, 1, 1], 3, 5, 0.1, 0.9, 1e-5, [1.5, -0.5, 1.0], [0.25, 1.0, 0.0],
                   [0.0, 2.0, -1.0], [1.0, 3.0, 0.01], seed=11),
        batch_norm("batch8_spatial1", [8, 8, 8, 2], 3, 1, 0.1, 0.9, 1e-5, [1.0, 0.75, 2.0], [0.0, -0.5, 0.125],
                   [0.0, 100.0, -1.0], [1.0, 1.0, 1e-3], seed=12),
        batch_norm("constant_channel", [4, 4, 2], 2, 3, 0.25, 0.75, 1e-3, [1.0, 2.0], [0.0, 0.5],
                   [0.5, 3.0], [1.0, 0.0], seed=13),
    ]
    special = [[-inf, -inf, 1, nan, 2], [-inf, -inf, 3, 4, nan], [nan, 1, 2, 2, 2], [0, -1, 2, 2, 2]]
    pools = [
        fractional_max_pool("overlapping", 1, 2, (7, 6), (2, 2), (4, 4), seed=21),
        fractional_max_pool("batches", 2, 2, (5, 9), (2, 3), (3, 5), seed=22),
        fractional_max_pool("pool1_identity", 1, 1, (3, 4), (1, 1), (3, 4), seed=23),
        fractional_max_pool("one_output", 1, 1, (4, 5), (3, 2), (1, 1), seed=24),
        fractional_max_pool("whole_input", 1, 1, (3, 3), (3, 3), (1, 1), seed=25),
        fractional_max_pool("samples_at_ends", 1, 2, (8, 10), (2, 2), (5, 7), seed=26, samples=[0.0, 1 - 2.0**-24, 0.5, 0.0]),
        fractional_max_pool("nan_inf_ties", 1, 1, (4, 5), (2, 2), (2, 3), seed=27, values=special),
    ]
    cos, sin = math.cos(turn), math.sin(turn)
    thetas = [("identity", [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]), ("translate", [1.0, 0.0, 0.3, 0.0, 1.0, -0.45]),
              ("stretch", [0.6, 0.0, 0.0, 0.0, 1.4, 0.0]), ("shear", [1.0, 0.35, 0.0, 0.0, 1.0, 0.0]),
              ("rotate", [cos, -sin, 0.0, sin, cos, 0.0])]
    images = [affine(name, theta, corners) for name, theta in thetas for corners in (False, True)]
    for corners in (False, True):
        images.append(affine("resize_all", [0.9 * cos, -0.8, 0.1, 0.5, 1.1 * cos, -0.2], corners, channels=2, size=(5, 3), out=(3, 4)))
    bilinear = V.InterpolationMode.BILINEAR
    affine_by = lambda x, angle, right, down, scale, shear: V.affine(x, angle, [right, down], scale, [shear, 0.0], bilinear)
    # Enlarging is the same with and without antialiasing; shrinking torchvision weighs by a triangle, which gradus does not.
    resize = lambda out, antialias: changed(f"resize/{antialias}", lambda x: V.resize(x, out, bilinear, antialias=antialias), out=out)
    changes = [resize(out, antialias) for out in [(5, 6), (7, 13), (10, 12), (11, 6)] for antialias in (False, True)]
    changes += [changed("affine", affine_by, *numbers) for numbers in [
        (30.0, 0.0, 0.0, 1.0, 0.0), (0.0, 1.0, -2.0, 1.0, 0.0), (0.0, 0.0, 0.0, 1.3, 0.0), (0.0, 0.0, 0.0, 1.0, 20.0),
        (-40.0, 1.0, 2.0, 0.8, 15.0)]]
    for factor in (0.5, 1.0, 1.2):
        changes.append(changed("brightness", V.adjust_brightness, factor))
        changes.append(changed("contrast", V.adjust_contrast, factor))
        changes.append(changed("saturation", V.adjust_saturation, factor))
    changes += [changed("hue", V.adjust_hue, factor) for factor in (-0.5, -0.2, 0.0, 0.1, 0.25, 0.5)]
    mixing = [mixed("mixup", share, seed=41) for share in (0.0, 0.25, 0.9, 1.0)]
    mixing += [mixed("cutmix", share, seed=50 + k) for k, share in enumerate((0.05, 0.3, 0.3, 0.5, 0.7, 0.7, 0.95, 1.0))]
    groups = [
        group_norm("two_groups", (2, 6, 5), 2, seed=61),
        group_norm("one_sample", (1, 4, 3), 2, eps=1e-3, offset=3.0, spread=0.5, seed=62),
        group_norm("instance", (3, 3, 7), 3, seed=63),
        group_norm("one_group", (2, 4, 2), 1, offset=100.0, seed=64),
        group_norm("dense", (5, 12), 4, seed=65),
        group_norm("wide", (2, 70, 3), 7, seed=66),
    ]
    rows = [
        layer_norm("rows", 3, 37, seed=71),
        layer_norm("one_row", 1, 5, eps=1e-3, seed=72),
        layer_norm("offset", 4, 16, offset=100.0, seed=73),
        layer_norm("many_rows", 70, 3, seed=74),
    ]
    keras_norms = [
        batch_norm_keras("spatial1", [8, 5, 3], 3, 1, 0.9, 1e-3, seed=14),
        batch_norm_keras("spatial4", [2, 1, 3], 2, 4, 0.99, 1e-3, seed=15),
        batch_norm_keras("batch1", [1, 4, 1], 2, 1, 0.75, 1e-2, seed=16),
    ]
    penalties = [
        penalty("l2", 0.01, 0.0, lambda w: w * w),
        penalty("l1", 0.01, 0.0, abs),
        penalty("elastic_net", 0.1, 0.25, lambda w: 0.25 * w * w + abs(w)),
    ]
    return dict(batch_norm=norms, batch_norm_keras=keras_norms, fractional_max_pool=pools, affine=images, changes=changes,
                penalties=penalties, group_norm=groups, layer_norm=rows, mixing=mixing)
