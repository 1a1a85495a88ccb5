import keras


def coordinates(index, axis):
    """Where torch's scatter and gather point: for each element of `index` its place, with `index` along the axis."""
    sizes = keras.ops.shape(index)
    places = keras.ops.meshgrid(*[keras.ops.arange(n, dtype=index.dtype) for n in sizes], indexing="ij")
    places[axis] = index
    return keras.ops.reshape(keras.ops.stack(places, axis=-1), [-1, len(sizes)])
