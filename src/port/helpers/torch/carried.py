def carried(result, *inputs):
    """The result of a layer that passes the mask of its inputs on."""
    masks = [vars(x).get('mask') if hasattr(x, 'examples') else None for x in inputs]
    if any(mask is not masks[0] for mask in masks):
        raise NotImplementedError('tensors with different masks are merged')
    if masks[0] is not None:
        result.mask = masks[0]
    return result
