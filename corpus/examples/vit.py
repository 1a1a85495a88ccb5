"""Vision transformer (Dosovitskiy et al., 2021), functional, for Keras 3."""
import keras
from keras import layers, ops


class ClassToken(layers.Layer):
    """Put one learned token before the patches."""

    def build(self, input_shape):
        self.token = self.add_weight(
            name="token", shape=(1, 1, input_shape[-1]), initializer="zeros")

    def call(self, patches):
        batch = ops.shape(patches)[0]
        token = ops.repeat(self.token, batch, axis=0)
        return ops.concatenate([token, patches], axis=1)


class PositionEmbedding(layers.Layer):
    """Add a learned vector to every position."""

    def build(self, input_shape):
        _, length, dim = input_shape
        self.table = self.add_weight(
            name="table",
            shape=(1, length, dim),
            initializer=keras.initializers.RandomNormal(stddev=0.02),
        )

    def call(self, x):
        return x + self.table


def mlp(x, hidden, dim, rate):
    x = layers.Dense(hidden, activation="gelu")(x)
    x = layers.Dropout(rate)(x)
    return layers.Dense(dim)(x)


def transformer_block(x, dim, heads, rate=0.1):
    """Norm first, residual last, twice."""
    y = layers.LayerNormalization(epsilon=1e-6)(x)
    y = layers.MultiHeadAttention(num_heads=heads, key_dim=dim // heads, dropout=rate)(y, y)
    x = layers.Add()([x, y])

    y = layers.LayerNormalization(epsilon=1e-6)(x)
    y = mlp(y, 2 * dim, dim, rate)
    return layers.Add()([x, y])


def build_vit(image_size=(96, 64), patch=16, dim=64, depth=4, heads=4, num_classes=10):
    """Images to class logits.

    Args:
        image_size: height and width, both divisible by `patch`.
        patch: side of a square patch.
        dim: features of a token.
        depth: number of blocks.
        heads: number of attention heads; divides `dim`.
        num_classes: number of logits.
    """
    height, width = image_size
    num_patches = (height // patch) * (width // patch)

    images = keras.Input(shape=(height, width, 3))
    # Cutting patches and projecting them is one strided convolution.
    x = layers.Conv2D(dim, patch, strides=patch, name="patches")(images)
    x = layers.Reshape((num_patches, dim))(x)
    x = ClassToken(name="class_token")(x)
    x = PositionEmbedding(name="positions")(x)

    for _ in range(depth):
        x = transformer_block(x, dim, heads)

    x = layers.LayerNormalization(epsilon=1e-6)(x)
    # the class token has seen everything
    logits = layers.Dense(num_classes, name="head")(x[:, 0])
    return keras.Model(images, logits, name="vit")
