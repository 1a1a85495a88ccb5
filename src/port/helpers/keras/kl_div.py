import keras


def kl_div(scores, target, reduction="mean", log_target=False):
    """F.kl_div: scores are logarithms; 'mean' divides by all elements, 'batchmean' by the batch."""
    if log_target:
        loss = keras.ops.exp(target) * (target - scores)
    else:
        some = target > 0
        log = keras.ops.log(keras.ops.where(some, target, 1))
        loss = keras.ops.where(some, target * log, 0) - target * scores
    if reduction == "none":
        return loss
    if reduction == "batchmean":
        return keras.ops.sum(loss) / keras.ops.shape(loss)[0]
    return keras.ops.mean(loss) if reduction == "mean" else keras.ops.sum(loss)
