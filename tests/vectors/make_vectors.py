"""Make the reference vectors in this directory with PyTorch, torchvision, Keras and optax.

    python3.11 -m venv venv
    venv/bin/pip install torch==2.13.0 torchvision==0.28.0 numpy==2.4.6 keras==3.15.1 optax==0.2.8 jax==0.10.2 schedulefree==1.4.1
    venv/bin/python tests/vectors/make_vectors.py

With names (`make_vectors.py schedules`) it makes these files alone, and needs only their libraries.
(Any torch 2.13.0 build serves; only its CPU is used.) The run is deterministic: it writes the same files again.
The versions that made a file stand in its `made_by`. PyTorch runs its plain implementations (`foreach=False,
fused=False`) on one thread with its baseline kernels, which do not fuse multiply and add; Keras runs on jax.
optimizers.py, schedules.py and layers.py beside this file do the work. Every f64 run of an optimizer and every schedule
is compared there with its formula before anything is written, so the meaning of the hyper-parameters is tested too.

NUMBERS
  bits    a JSON integer: the u32 bits of an f32, for `f32::from_bits`. All inputs and all f32 results.
  f64     a JSON number with the shortest digits that round-trip. serde_json without its feature `float_roundtrip`
          may read the last bit wrongly; hyper-parameters are short decimals, which it reads exactly.
  f32 results come from the library's own f32 run: its operation order differs from ours, so compare within a
          budget. f64 results come from the same library in f64, fed the same f32 inputs. Parameters cross zero, so a
          fair unit for the error of parameter i is one f32 ULP of the largest |p[i]| among `params` and the case's rows.
          Keras and optax form 1 - beta^t in f32 and stray by up to 100 ULP: hold presets against f64.
  Arrays are row-major and flat unless said otherwise; shapes are given beside them.

optimizers.json
  made_by      {"python", "torch", "numpy", "keras", "optax", "jax", "schedulefree"}: versions
  n            13, the number of parameters
  params       [n] bits: parameters before step 1, for every case
  gradients    [30][n] bits: step t (from 1) takes row (t - 1) % 30, in every case
  cases        array of
    name       unique, "rule/library/variant"
    source     the class that made it; "formula" where no library has the rule (`formula` in optimizers.py)
    rule       a key of DEFAULTS in optimizers.py
    hyper      {key: number or bool}: the keys of that rule in DEFAULTS, always all of them;
               and all of them coupled_weight_decay: g + coupled_weight_decay * p takes the place of g.
               eps stands outside the root (after bias correction), eps_hat outside the root of the uncorrected v
               ("epsilon hat" of Kingma and Ba), eps_root inside the root (after bias correction). Unused ones are 0:
                 adam  p -= lr * m/c1 / (sqrt(v/c2 + eps_root) + eps)    or, where eps_hat is not 0,
                       p -= lr * sqrt(c2)/c1 * m / (sqrt(v) + eps_hat)
                 rmsprop  v = rho v + (1 - rho) g^2;  a = rho a + (1 - rho) g;  if centered, v - a^2 for v in the root;
                       u = momentum u + g / (sqrt(v + eps_root) + eps);  p -= lr u
    lr_changes [[step, lr], ...]: from that step on (the step included) that lr; nearly always empty
    steps      [k] the steps after which parameters are given, rising; the last is the length of the run
    f32        [k][n] bits
    f64        [k][n] f64
    average_f32, average_f64  likewise, of schedulefree alone: the averaged weights; the rows above are those of the training

schedules.json
  made_by
  cases        array of {name, source, hyper, lr: [k] f64, momentum}: lr[i] is what optimizer step i uses, i from 0 on;
               k is 201, and total_steps of OneCycleLR, which ends there. momentum is [k] f64 where the scheduler moves
               it, else null. Keys of hyper are the library's argument names, plus `lr`, the initial lr, where there is
               one. LambdaLR and SequentialLR have formulas and schedulers in place of numbers: see the name.
               CosineAnnealingLR rises again after T_max (it is periodic); the others stay at their end.
               OneCycleLR has its peak at the real-valued step u = pct_start * total_steps - 1; with three_phase it is
               back at max_lr / div_factor at 2 * u. The last lr is max_lr / div_factor / final_div_factor.
               Where u is below 0 the fall begins there, before step 0.
  plateaus     array of {name, hyper, metrics: [40] bits, lr: [40] f64} by ReduceLROnPlateau: lr[i] is the rate after
               metric i. hyper has all its arguments, and `lr`.

layers.json
  made_by
  batch_norm   array of
    name, channels, spatial, eps
    momentum   PyTorch's: weight of the new statistic; running_decay = 1 - momentum: weight of the old one
    weight, bias           [channels] bits (gamma, beta). Running mean starts at 0, running variance at 1.
    steps      array of training steps: batch, input and grad_output [batch][channels][spatial] flat bits, and
               f32 (bits) and f64: {output, grad_input, grad_weight, grad_bias, running_mean, running_var}
               (running_* after that step, the variance unbiased; the output uses the biased variance of the batch)
    inference  after the last step, same layout; its f32 and f64 hold {output, grad_input} only
  batch_norm_keras   array of {name, channels, spatial, momentum (weight of the old), eps, steps: array of {batch, input,
               moving_mean, moving_variance [channels] f64 after that step}, inference: {batch, input, output f64}}, by
               Keras' formula in f64: the moving variance takes the biased one. gamma is 1, beta 0; layout as above.
  fractional_max_pool   array of
    name, batch, channels, height, width, pool_height, pool_width, out_height, out_width
    samples    [batch][channels][2] bits: PyTorch's _random_samples in [0, 1), first for the width, second for the height
    starts_width [batch * channels][out_width], starts_height [batch * channels][out_height]: first row or column of
               every window, in f32 arithmetic, truncating casts:
                 alpha = (size - pool) / (out - 1);  start[i] = int((i + sample) * alpha) - int(sample * alpha)
                 start[out - 1] = size - pool (also when out = 1). A window holds `pool` elements, so windows overlap.
    input      [batch][channels][height][width] bits
    output     [batch][channels][out_height][out_width] bits; exact, so there is no f64 twin
    indices    same shape: row * width + column in its plane. The first maximum wins; the last NaN wins over
               everything; a window of -inf only gives its first element.
    grad_output, grad_input   bits; windows are added in raster order (f32)
  affine       array of
    name, align_corners, channels, height, width, out_height, out_width
    theta      [6] f64 (rounded to f32 first in the f32 run), two rows of three:
               (x_in, y_in) = theta * (x_out, y_out, 1) in normalised coordinates
    input      [channels][height][width] bits
    grid       [out_height][out_width][2] f64: (x, y) of affine_grid's f64 run
    f32 / f64  [channels][out_height][out_width] bits / f64: grid_sample, bilinear, zeros outside.
               Column j of width w lies at x = (2j + 1)/w - 1, or 2j/(w - 1) - 1 with align_corners; rows likewise.
  changes      array of {name, numbers, height, width, out_height, out_width, input [3][height][width] bits, f64
               [3][out_height][out_width]} by torchvision.transforms.v2.functional in f64, of images from 0.25 to 0.75:
               "resize/True" and "/False" (antialias; bilinear), "affine" of [angle, right, down, scale, shear], degrees,
               "hue" of [turn], "brightness", "contrast", "saturation" of [factor], whose grey is 0.2989 r + 0.587 g + 0.114 b, and
               which clamp to 0..1
  group_norm, layer_norm   arrays of {name, batch, channels, spatial, groups, eps, weight, bias [channels] bits, input,
               grad_output [batch][channels][spatial] bits, mean, variance [batch * groups] f64 (the variance biased), f32 (bits)
               and f64: {output, grad_input, grad_weight, grad_bias}}; a layer norm has one group, and spatial 1
  mixing       array of {name "mixup" or "cutmix", share, centre [row, column] of CutMix' rectangle, height, width, first,
               second [3][height][width] bits, f64: the first one mixed with the second, label: the share of either class}
  penalties    array of {name, lambda, beta, params [13] bits, f32: {value: bits, gradient: [13] bits},
               f64: {value, gradient}}: value = lambda * sum r(w); r is w^2 ("l2"), |w| ("l1"), or
               beta w^2 + |w| ("elastic_net"); beta is 0 where it is not used. The gradient is autograd's.
"""

import importlib
import importlib.metadata
import platform
import sys
from pathlib import Path

import common  # first: it sets the environment of the libraries

# What makes each file, beside Python.
FILES = {"optimizers": ("torch", "numpy", "keras", "optax", "jax", "schedulefree"), "schedules": ("torch", "numpy"),
         "layers": ("torch", "torchvision", "numpy", "keras", "optax", "jax")}


def main():
    for name in sys.argv[1:] or FILES:
        made_by = {"python": platform.python_version()}
        made_by |= {library: importlib.metadata.version(library).split("+")[0] for library in FILES[name]}
        path = Path(__file__).with_name(name + ".json")
        path.write_text(common.layout({"made_by": made_by} | importlib.import_module(name).make()) + "\n")
        print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
