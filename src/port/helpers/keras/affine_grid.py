import keras


def affine_grid(theta, size, align_corners=False):
    """F.affine_grid: places (x, y) in [-1, 1] of the pixels of images of torch's size (N, C, H, W)."""
    def places(n):
        steps = keras.ops.arange(n, dtype=theta.dtype)
        return steps / (n - 1) * 2 - 1 if align_corners else (steps * 2 + 1) / n - 1

    rows, columns = keras.ops.meshgrid(places(size[2]), places(size[3]), indexing="ij")
    points = keras.ops.stack([columns, rows, keras.ops.ones_like(rows)], axis=-1)
    return keras.ops.einsum("hwk,nik->nhwi", points, theta)
