import keras


def gather_nd(x, places):
    """tf.gather_nd: the last axis of `places` holds coordinates for the first axes of x."""
    sizes, count = keras.ops.shape(x), places.shape[-1]
    flat = 0
    for axis in range(count):
        flat = flat * sizes[axis] + places[..., axis]
    return keras.ops.take(keras.ops.reshape(x, (-1, *sizes[count:])), flat, axis=0)
