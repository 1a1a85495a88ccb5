import keras


def adaptive_pool(x, output_size, mode):
    """F.adaptive_avg_pool1d, 2d, 3d and the max pools, of x with channels last; None keeps an axis."""
    axes = len(x.shape) - 2
    sizes = output_size if isinstance(output_size, (tuple, list)) else [output_size] * axes
    for axis, size in enumerate(sizes, 1):
        n = x.shape[axis]
        if size is not None and size != n:
            reduce = keras.ops.mean if mode == "average" else keras.ops.max
            parts = [keras.ops.take(x, range(i * n // size, -(-(i + 1) * n // size)), axis=axis) for i in range(size)]
            x = keras.ops.concatenate([reduce(p, axis=axis, keepdims=True) for p in parts], axis=axis)
    return x
