# needs: coordinates
import keras


def scatter(x, axis, index, src):
    """x with src written at `index` along `axis`: torch's Tensor.scatter, out of place."""
    src = keras.ops.cast(src, x.dtype)
    if len(src.shape) > 0:
        src = src[tuple(slice(n) for n in keras.ops.shape(index))]
    src = keras.ops.broadcast_to(src, keras.ops.shape(index))
    return keras.ops.scatter_update(x, coordinates(index, axis), keras.ops.reshape(src, [-1]))
