import keras


def bucketize(x, boundaries, side="left"):
    """torch.bucketize: for each element its place among the boundaries, as int64."""
    places = keras.ops.searchsorted(boundaries, keras.ops.reshape(x, [-1]), side=side)
    return keras.ops.cast(keras.ops.reshape(places, keras.ops.shape(x)), "int64")
