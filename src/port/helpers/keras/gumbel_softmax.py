import keras


def gumbel_softmax(logits, tau=1.0, hard=False, dim=-1):
    """F.gumbel_softmax: a sample of the categorical distribution that gradients pass through."""
    uniform = keras.random.uniform(keras.ops.shape(logits), 1e-20, 1.0, dtype=logits.dtype)
    soft = keras.ops.softmax((logits - keras.ops.log(-keras.ops.log(uniform))) / tau, axis=dim)
    if not hard:
        return soft
    best = keras.ops.max(soft, axis=dim, keepdims=True)
    return keras.ops.stop_gradient(keras.ops.cast(soft == best, soft.dtype) - soft) + soft
