def center_crop(x, height, width):
    """The middle of each image, which must not be smaller; an odd cell is cut at the end."""
    top, left = (x.shape[-2] - height) // 2, (x.shape[-1] - width) // 2
    if min(top, left) < 0:
        raise ValueError(f'images of {tuple(x.shape[-2:])} are smaller than the crop of {(height, width)}')
    return x[..., top:top + height, left:left + width]
