import keras


def broadcast_tensors(tensors):
    """torch.broadcast_tensors: all tensors in the shape that they have together."""
    total = keras.ops.shape(sum(keras.ops.zeros_like(t) for t in tensors))
    return [keras.ops.broadcast_to(t, total) for t in tensors]
