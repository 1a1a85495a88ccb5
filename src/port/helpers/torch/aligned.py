def aligned(tensors):
    """Tensors of equally many axes: Keras' merging layers put those that are missing behind the batch."""
    most = max(x.dim() for x in tensors)
    return [x.reshape(x.shape[0], *[1] * (most - x.dim()), *x.shape[1:]) for x in tensors]
