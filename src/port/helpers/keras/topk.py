import keras


def topk(x, k, axis=-1, largest=True):
    """torch.topk: the k largest (or smallest) values along an axis, and their int64 indices."""
    x = keras.ops.moveaxis(x, axis, -1)
    values, indices = keras.ops.top_k(x if largest else -x, k)
    values = keras.ops.moveaxis(values if largest else -values, -1, axis)
    return values, keras.ops.cast(keras.ops.moveaxis(indices, -1, axis), "int64")
