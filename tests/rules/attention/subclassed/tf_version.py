"""Attention in classes: the width follows from how the class is used."""
from tensorflow import keras
from tensorflow.keras import layers

CASES = {"Encoder(11, 12, 3)": ["i32[2,7]<11"]}


class Block(layers.Layer):
    def __init__(self, width, heads, **kwargs):
        super().__init__(**kwargs)
        self.head_size = width // heads
        self.attend = layers.MultiHeadAttention(num_heads=heads, key_dim=self.head_size)
        self.wide = layers.MultiHeadAttention(num_heads=heads, key_dim=width)
        self.norm = layers.LayerNormalization()

    def call(self, x):
        x = self.norm(x + self.attend(query=x, value=x, key=x))
        return x + self.wide(x, x, use_causal_mask=True)


class Encoder(keras.Model):
    def __init__(self, vocab, width, heads, **kwargs):
        super().__init__(**kwargs)
        self.embed = layers.Embedding(vocab, width)
        self.block = Block(width, heads)
        self.head = layers.Dense(4)

    def call(self, ids):
        return self.head(self.block(self.embed(ids)))
