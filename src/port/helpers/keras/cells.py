import math


def cells(kernel_size, axes):
    """How many cells a kernel has, whose size is a number or one per axis."""
    return kernel_size ** axes if isinstance(kernel_size, int) else math.prod(kernel_size)
