import math

import keras


def scaled_dot_product_attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None):
    """softmax(query key^T / sqrt(d)) value; a boolean mask is True where attention is allowed."""
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = keras.ops.matmul(query, keras.ops.swapaxes(key, -1, -2)) * scale
    if is_causal:
        attn_mask = keras.ops.tril(keras.ops.ones(keras.ops.shape(scores)[-2:], "bool"))
    if attn_mask is not None and keras.backend.standardize_dtype(attn_mask.dtype) == "bool":
        scores = keras.ops.where(attn_mask, scores, float("-inf"))
    elif attn_mask is not None:
        scores += attn_mask
    if attn_mask is not None and not is_causal:  # who may look at nothing gets zeros
        seen = keras.ops.any(scores > float("-inf"), axis=-1, keepdims=True)
        weights = keras.ops.where(seen, keras.ops.softmax(keras.ops.where(seen, scores, 0.0), axis=-1), 0.0)
    else:
        weights = keras.ops.softmax(scores, axis=-1)
    if dropout_p > 0:
        weights = keras.random.dropout(weights, dropout_p)
    return keras.ops.matmul(weights, value)
