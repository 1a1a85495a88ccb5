def obtain_input_shape(input_shape, default_size, min_size, require_flatten, weights=None, data_format=None):
    """The (height, width, channels) that the model is built for, checked as in keras.applications."""
    if weights != 'imagenet' and input_shape is not None and len(input_shape) == 3:
        default_shape = (default_size, default_size, input_shape[-1])
    else:
        default_shape = (default_size, default_size, 3)
    if weights == 'imagenet' and require_flatten:
        if input_shape is not None and tuple(input_shape) != default_shape:
            raise ValueError(f'with the classifier of ImageNet, input_shape is {default_shape}, not {input_shape}')
        return default_shape
    if input_shape is None:
        return default_shape if require_flatten else (None, None, 3)
    if len(input_shape) != 3:
        raise ValueError(f'input_shape must be (height, width, channels), not {input_shape}')
    if weights == 'imagenet' and input_shape[-1] != 3:
        raise ValueError(f'the weights of ImageNet need 3 channels, not {input_shape}')
    if any(size is not None and size < min_size for size in input_shape[:2]):
        raise ValueError(f'the image must be at least {min_size} x {min_size}, not {input_shape}')
    if require_flatten and None in input_shape:
        raise ValueError(f'with the classifier, input_shape must be fully known, not {input_shape}')
    return input_shape
