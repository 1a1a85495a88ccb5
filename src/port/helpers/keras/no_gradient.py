import keras


def no_gradient(value):
    """torch.no_grad: no gradient goes through any tensor in this."""
    return keras.tree.map_structure(lambda x: keras.ops.stop_gradient(x) if keras.ops.is_tensor(x) else x, value)
