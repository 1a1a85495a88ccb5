import tensorflow as tf


def put_mask(x, mask, value):
    """Copy of x after `x[mask] = value`, the value being one number or one for each place in order."""
    value = tf.cast(value, x.dtype)
    if len(value.shape) == 0:
        return tf.where(mask, value, x)
    mask = tf.broadcast_to(mask, tf.shape(x))
    return tf.tensor_scatter_nd_update(x, tf.where(mask), tf.reshape(value, [-1]))
