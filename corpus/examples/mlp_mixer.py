"""MLP-Mixer (Tolstikhin et al., 2021): images without convolution or attention."""
import keras
from keras import layers


def mlp(x, hidden, units):
    x = layers.Dense(hidden, activation="gelu")(x)
    return layers.Dense(units)(x)


def mixer_block(x, num_patches, dim, token_hidden, channel_hidden):
    # Mix the patches: swap the axes, so that Dense acts along them
    y = layers.LayerNormalization()(x)
    y = layers.Permute((2, 1))(y)
    y = mlp(y, token_hidden, num_patches)
    y = layers.Permute((2, 1))(y)
    x = layers.Add()([x, y])

    # Mix the channels
    y = layers.LayerNormalization()(x)
    y = mlp(y, channel_hidden, dim)
    return layers.Add()([x, y])


def build_mixer(image_shape=(96, 64, 3), patch=16, dim=48, depth=4, num_classes=10):
    """Images to class probabilities; `patch` divides height and width."""
    height, width, _ = image_shape
    num_patches = (height // patch) * (width // patch)

    image = keras.Input(shape=image_shape)
    x = layers.Conv2D(dim, patch, strides=patch, name="stem")(image)
    x = layers.Reshape((num_patches, dim))(x)

    for _ in range(depth):
        x = mixer_block(x, num_patches, dim, token_hidden=dim // 2, channel_hidden=2 * dim)

    x = layers.LayerNormalization(name="head_norm")(x)
    x = layers.GlobalAveragePooling1D()(x)
    outputs = layers.Dense(num_classes, activation="softmax", name="head")(x)
    return keras.Model(image, outputs, name="mixer")
