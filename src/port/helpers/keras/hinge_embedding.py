import keras


def hinge_embedding(x, target, margin=1.0):
    """F.hinge_embedding_loss without its reduction: x where the target is 1, what is missing to the margin at -1."""
    apart = keras.ops.where(target == 1, 0, keras.ops.maximum(margin - x, 0))
    return apart + keras.ops.where(target == -1, 0, x)
