def slice_update(inputs, start_indices, updates):
    """A copy with a block written into it, moved to lie inside where it does not, as keras.ops.slice_update."""
    first = [min(max(int(i), 0), n - m) for i, n, m in zip(start_indices, inputs.shape, updates.shape)]
    result = inputs.clone()
    result[tuple(slice(i, i + m) for i, m in zip(first, updates.shape))] = updates
    return result
