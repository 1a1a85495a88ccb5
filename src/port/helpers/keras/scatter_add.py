# needs: coordinates
import keras


def scatter_add(x, axis, index, src):
    """x with src added at `index` along `axis`: torch's Tensor.scatter_add, out of place."""
    src = src[tuple(slice(n) for n in keras.ops.shape(index))]
    return x + keras.ops.scatter(coordinates(index, axis), keras.ops.reshape(src, [-1]), keras.ops.shape(x))
