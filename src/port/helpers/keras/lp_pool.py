# needs: avg_pool
import keras


def lp_pool(x, norm_type, kernel_size, stride=None, ceil_mode=False):
    """F.lp_pool1d, 2d and 3d, of x with channels last: the p-norm of each window, without absolute values inside."""
    cells = 1
    for k in [kernel_size] * (len(x.shape) - 2) if isinstance(kernel_size, int) else kernel_size:
        cells *= k
    y = avg_pool(x ** norm_type, kernel_size, stride, ceil_mode=ceil_mode)
    return (keras.ops.sign(y) * keras.ops.relu(keras.ops.abs(y)) * cells) ** (1 / norm_type)
