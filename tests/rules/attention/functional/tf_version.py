"""Attention layers: native where the heads fill the width, helpers elsewhere."""
import keras
from keras import layers

CASES = {"self_attention(12, 3)": ["f32[2,5,12]"], "cross()": ["f32[2,5,8]", "f32[2,7,6]"],
         "wide()": ["f32[2,5,8]", "f32[2,7,6]"], "masked()": ["f32[2,5,8]", "b[2,5,5]"],
         "grouped()": ["f32[2,5,8]"], "luong()": ["f32[2,5,4]", "f32[2,7,4]"]}


def self_attention(dim, heads):
    inputs = keras.Input((None, dim))
    size = dim // heads
    x = layers.MultiHeadAttention(heads, size, dropout=0.0)(inputs, inputs, use_causal_mask=True)
    x, scores = layers.MultiHeadAttention(heads, size, use_bias=False)(x, x, return_attention_scores=True)
    return keras.Model(inputs, [x, scores])


def cross():
    query = keras.Input((None, 8))
    memory = keras.Input((None, 6))
    x = layers.MultiHeadAttention(num_heads=2, key_dim=4)(query, memory)
    x = layers.MultiHeadAttention(num_heads=4, key_dim=2)(x, memory, use_causal_mask=True)
    return keras.Model([query, memory], x)


def wide():
    query = keras.Input((None, 8))
    memory = keras.Input((None, 6))
    x = layers.MultiHeadAttention(num_heads=2, key_dim=8)(query, memory)
    x = layers.MultiHeadAttention(num_heads=2, key_dim=3, value_dim=5, output_shape=7)(
        x, memory, return_attention_scores=False)
    return keras.Model([query, memory], x)


def masked():
    inputs = keras.Input((None, 8))
    allowed = keras.Input((None, None), dtype="bool")
    x = layers.MultiHeadAttention(2, 3)(inputs, inputs, attention_mask=allowed)
    return keras.Model([inputs, allowed], x)


def grouped():
    inputs = keras.Input((None, 8))
    x = layers.GroupQueryAttention(3, 4, 2)(inputs, inputs)
    return keras.Model(inputs, x)


def luong():
    query = keras.Input((None, 4))
    memory = keras.Input((None, 4))
    x = layers.Attention(use_scale=True)([query, memory])
    x = layers.AdditiveAttention()([x, memory])
    return keras.Model([query, memory], layers.Dense(3)(x))
