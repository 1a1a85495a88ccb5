import keras


def kth_value(x, k, dim=-1, keepdim=False):
    """torch.kthvalue: the k-th smallest value along an axis, and its int64 index."""
    order = keras.ops.argsort(x, dim)
    index = keras.ops.take(order, [k - 1], axis=dim)
    value = keras.ops.take_along_axis(x, index, dim)
    index = keras.ops.cast(index, "int64")
    return (value, index) if keepdim else (keras.ops.squeeze(value, dim), keras.ops.squeeze(index, dim))
