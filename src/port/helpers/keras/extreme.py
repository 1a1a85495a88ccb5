import keras


def extreme(x, axis, keepdims=False, largest=True):
    """torch.max or torch.min along an axis: values, and the int64 index of each."""
    reduce, find = (keras.ops.max, keras.ops.argmax) if largest else (keras.ops.min, keras.ops.argmin)
    index = keras.ops.cast(find(x, axis=axis, keepdims=keepdims), "int64")
    return reduce(x, axis=axis, keepdims=keepdims), index
