import keras


def nll_loss(scores, target, weight=None, ignore_index=-100, reduction="mean"):
    """F.nll_loss: log-probabilities (N, C, ...), target of class indices (N, ...)."""
    scores = keras.ops.moveaxis(scores, 1, -1)
    valid = target != ignore_index
    one_hot = keras.ops.one_hot(keras.ops.where(valid, target, 0), scores.shape[-1], dtype=scores.dtype)
    one_hot = one_hot if weight is None else one_hot * weight
    one_hot = one_hot * keras.ops.cast(valid, scores.dtype)[..., None]
    loss = -keras.ops.sum(one_hot * scores, axis=-1)
    if reduction == "none":
        return loss
    return keras.ops.sum(loss) / keras.ops.sum(one_hot) if reduction == "mean" else keras.ops.sum(loss)
