import tensorflow as tf


def fft2(x, inverse=False):
    """torch.fft.fft2, ifft2: over the last two axes, of real or complex numbers."""
    x = x if x.dtype.is_complex else tf.complex(x, tf.zeros_like(x))
    return tf.signal.ifft2d(x) if inverse else tf.signal.fft2d(x)
