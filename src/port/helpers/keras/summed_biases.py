# needs: uniform


def summed_biases(fan_in):
    """Initialiser of a bias that stands for torch's two, which are added."""
    return lambda shape, dtype=None: uniform(fan_in)(shape, dtype) + uniform(fan_in)(shape, dtype)
