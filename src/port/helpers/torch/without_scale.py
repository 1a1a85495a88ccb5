def without_scale(norm):
    """A normalisation layer with an offset but no scale (`scale=False` in Keras)."""
    norm.register_parameter('weight', None)
    return norm
