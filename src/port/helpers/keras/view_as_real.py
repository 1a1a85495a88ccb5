import tensorflow as tf


def view_as_real(x):
    """torch.view_as_real: real and imaginary parts along a new last axis."""
    return tf.stack([tf.math.real(x), tf.math.imag(x)], axis=-1)
