import keras


def places(indices):
    """Index tensors as the coordinates of elements: brought to one shape and dtype, and stacked."""
    indices = [keras.ops.cast(i, "int64") for i in indices]
    shape = keras.ops.shape(sum(indices))
    return keras.ops.stack([keras.ops.broadcast_to(i, shape) for i in indices], axis=-1)
