import tensorflow as tf


def unique(x, return_inverse=False, return_counts=False):
    """torch.unique: values in ascending order; tf.unique keeps the order of first appearance."""
    values, inverse, counts = tf.unique_with_counts(tf.reshape(x, [-1]), out_idx=tf.int64)
    order = tf.argsort(values)
    found = [tf.gather(values, order)]
    if return_inverse:
        place = tf.cast(tf.math.invert_permutation(order), tf.int64)
        found.append(tf.reshape(tf.gather(place, inverse), tf.shape(x)))
    if return_counts:
        found.append(tf.gather(counts, order))
    return tuple(found) if len(found) > 1 else found[0]
