import math

import keras


def unpack_axes(tensor, packed_shapes, pattern):
    """einops.unpack, also of a batch whose size only running it tells."""
    axis = pattern.split().index("*")
    shape = list(keras.ops.shape(tensor))
    parts, start = [], 0
    for packed in packed_shapes:
        stop = start + math.prod(packed)
        part = tensor[(slice(None),) * axis + (slice(start, stop),)]
        parts.append(keras.ops.reshape(part, [*shape[:axis], *packed, *shape[axis + 1:]]))
        start = stop
    return parts
