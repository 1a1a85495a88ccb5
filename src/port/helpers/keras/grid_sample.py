import keras


def grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False):
    """F.grid_sample on channels-last images; the grid holds (x, y) in [-1, 1]."""
    height, width = (keras.ops.cast(n, x.dtype) for n in keras.ops.shape(x)[1:3])
    column, row = grid[..., 0], grid[..., 1]
    if align_corners:
        column, row = (column + 1) / 2 * (width - 1), (row + 1) / 2 * (height - 1)
    else:
        column, row = ((column + 1) * width - 1) / 2, ((row + 1) * height - 1) / 2
    if padding_mode == "border":
        column, row = keras.ops.clip(column, 0, width - 1), keras.ops.clip(row, 0, height - 1)
    batch = keras.ops.reshape(keras.ops.arange(keras.ops.shape(x)[0]), (-1, 1, 1))

    def at(r, c):
        inside = (r >= 0) & (r <= height - 1) & (c >= 0) & (c <= width - 1)
        r, c = keras.ops.clip(r, 0, height - 1), keras.ops.clip(c, 0, width - 1)
        index = (batch * keras.ops.shape(x)[1] + keras.ops.cast(r, "int32")) * keras.ops.shape(x)[2]
        flat = keras.ops.reshape(x, (-1, x.shape[-1]))
        pixels = keras.ops.take(flat, index + keras.ops.cast(c, "int32"), axis=0)
        return pixels * keras.ops.cast(inside, x.dtype)[..., None]

    if mode == "nearest":
        return at(keras.ops.round(row), keras.ops.round(column))
    found = 0.0
    for r in (keras.ops.floor(row), keras.ops.floor(row) + 1):
        for c in (keras.ops.floor(column), keras.ops.floor(column) + 1):
            weight = (1 - keras.ops.abs(row - r)) * (1 - keras.ops.abs(column - c))
            found += weight[..., None] * at(r, c)
    return found
