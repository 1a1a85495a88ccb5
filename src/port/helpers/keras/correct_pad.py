import keras


def correct_pad(x, kernel_size):
    """Paddings for tf.pad before a strided 'valid' convolution: an image of even size gets one row less before it."""
    kernel = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
    sizes = keras.ops.shape(x)[1:-1]
    return [[0, 0], *([k // 2 - (1 - n % 2), k // 2] for n, k in zip(sizes, kernel)), [0, 0]]
