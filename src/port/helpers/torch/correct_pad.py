def correct_pad(x, kernel_size):
    """F.pad amounts before a strided 'valid' convolution, as keras.applications computes them from the size of x."""
    kernel = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
    pad = []
    for n, k in zip(x.shape[:1:-1], kernel[::-1]):
        pad += [k // 2 - (1 - n % 2), k // 2]
    return pad
