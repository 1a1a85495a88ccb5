def without_offset(norm):
    """A normalisation layer with a scale but no offset (`center=False` in Keras)."""
    norm.register_parameter('bias', None)
    return norm
