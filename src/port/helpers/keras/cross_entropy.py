import keras


def cross_entropy(logits, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    """F.cross_entropy: logits (N, C, ...), target of class indices (N, ...) or of probabilities (N, C, ...)."""
    if len(logits.shape) > 1:
        logits = keras.ops.moveaxis(logits, 1, -1)
    scores, classes = keras.ops.log_softmax(logits, axis=-1), logits.shape[-1]
    weight = keras.ops.ones([classes], logits.dtype) if weight is None else weight
    if "float" in keras.backend.standardize_dtype(target.dtype):
        target = keras.ops.moveaxis(target, 1, -1) if len(target.shape) > 1 else target
        target = target * (1 - label_smoothing) + label_smoothing / classes
        loss = -keras.ops.sum(target * scores * weight, axis=-1)
        total = keras.ops.cast(keras.ops.size(loss), loss.dtype)
    else:
        valid = target != ignore_index
        target = keras.ops.where(valid, target, 0)
        one_hot = keras.ops.one_hot(target, classes, dtype=logits.dtype) * weight
        share = (1 - label_smoothing) * one_hot + label_smoothing / classes * weight
        counted = keras.ops.cast(valid, logits.dtype)
        loss = -keras.ops.sum(share * scores, axis=-1) * counted
        total = keras.ops.sum(keras.ops.sum(one_hot, axis=-1) * counted)
    if reduction == "none":
        return loss
    return keras.ops.sum(loss) / total if reduction == "mean" else keras.ops.sum(loss)
