import keras


def cartesian_prod(tensors):
    """torch.cartesian_prod: each row has one element of each tensor, in every combination."""
    if len(tensors) == 1:
        return tensors[0]
    grid = keras.ops.meshgrid(*tensors, indexing="ij")
    return keras.ops.reshape(keras.ops.stack(grid, axis=-1), [-1, len(tensors)])
