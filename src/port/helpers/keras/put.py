# needs: places
import keras


def put(x, indices, value):
    """Copy of x after `x[i, j] = value`, the indices being tensors for the first axes."""
    index = places(indices)
    shape = (*keras.ops.shape(index)[:-1], *keras.ops.shape(x)[len(indices):])
    return keras.ops.scatter_update(x, index, keras.ops.broadcast_to(keras.ops.cast(value, x.dtype), shape))
