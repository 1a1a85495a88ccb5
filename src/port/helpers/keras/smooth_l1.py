import keras


def smooth_l1(a, b, beta=1.0):
    """F.smooth_l1_loss without its reduction: a parabola up to a distance of beta, then a line."""
    d = keras.ops.abs(a - b)
    return keras.ops.where(d < beta, 0.5 * d * d / beta, d - 0.5 * beta)
