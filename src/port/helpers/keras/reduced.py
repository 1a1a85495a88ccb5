import keras


def reduced(loss, reduction="mean"):
    """The reduction of torch's losses: over all elements, or none."""
    if reduction == "none":
        return loss
    return keras.ops.mean(loss) if reduction == "mean" else keras.ops.sum(loss)
