import math

import keras
import numpy as np


def interpolate(x, size=None, scale_factor=None, mode="nearest", align_corners=False, recompute_scale_factor=False):
    """F.interpolate of x with channels last; the spatial sizes must be known. antialias is not among its arguments."""
    axes = len(x.shape) - 2
    sizes = [size] * axes if size is None or isinstance(size, int) else list(size)
    factors = list(scale_factor) if isinstance(scale_factor, (tuple, list)) else [scale_factor] * axes
    for axis, (n_out, factor) in enumerate(zip(sizes, factors), 1):
        n = x.shape[axis]
        if n_out is None:
            n_out = math.floor(n * factor)
        step = n / n_out if factor is None or recompute_scale_factor else 1 / factor
        if mode in ("nearest", "nearest-exact"):
            half = 0.5 if mode == "nearest-exact" else 0.0
            index = np.minimum(np.floor((np.arange(n_out) + half) * np.float32(step)).astype(int), n - 1)
            x = keras.ops.take(x, index, axis=axis)
            continue
        if align_corners:
            step = (n - 1) / (n_out - 1) if n_out > 1 else 0.0
        weights = np.zeros((n, n_out))
        for i in range(n_out):
            at = i * step if align_corners else (i + 0.5) * step - 0.5
            if mode == "area":
                first, last = i * n // n_out, -(-(i + 1) * n // n_out)
                weights[first:last, i] = 1 / (last - first)
            elif mode == "bicubic":
                for j in range(math.floor(at) - 1, math.floor(at) + 3):
                    d = abs(at - j)
                    near = (1.25 * d - 2.25) * d * d + 1
                    far = ((-0.75 * d + 3.75) * d - 6) * d + 3
                    weights[min(max(j, 0), n - 1), i] += near if d <= 1 else far
            else:
                at = max(at, 0.0)
                first = min(math.floor(at), n - 1)
                weights[first, i] += 1 - (at - first)
                weights[min(first + 1, n - 1), i] += at - first
        x = keras.ops.moveaxis(keras.ops.tensordot(x, keras.ops.cast(weights, x.dtype), axes=[[axis], [0]]), -1, axis)
    return x
