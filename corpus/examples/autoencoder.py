"""Denoising autoencoder: two models, and a third that joins them."""
import tensorflow as tf
from tensorflow.keras import layers


def build_encoder(input_shape=(48, 32, 1), filters=(8, 16), latent_dim=12):
    """Image to code."""
    image = tf.keras.Input(shape=input_shape)
    x = image
    for count in filters:
        x = layers.Conv2D(count, 3, strides=2, padding="same")(x)
        x = layers.BatchNormalization()(x)
        x = layers.ELU()(x)
    x = layers.Flatten()(x)
    code = layers.Dense(latent_dim, name="code")(x)
    return tf.keras.Model(image, code, name="encoder")


def build_decoder(output_shape=(48, 32, 1), filters=(8, 16), latent_dim=12):
    """Code to image; the mirror image of the encoder."""
    height, width, channels = output_shape
    scale = 2 ** len(filters)
    small = (height // scale, width // scale, filters[-1])

    code = tf.keras.Input(shape=(latent_dim,))
    x = layers.Dense(small[0] * small[1] * small[2], activation="elu")(code)
    x = layers.Reshape(small)(x)
    for count in reversed(filters):
        x = layers.Conv2DTranspose(count, 3, strides=2, padding="same")(x)
        x = layers.BatchNormalization()(x)
        x = layers.ELU()(x)
    image = layers.Conv2D(channels, 3, padding="same", activation="sigmoid", name="image")(x)
    return tf.keras.Model(code, image, name="decoder")


def build_autoencoder(input_shape=(48, 32, 1), filters=(8, 16), latent_dim=12):
    """Noisy image to clean image. The parts stay usable by themselves."""
    encoder = build_encoder(input_shape, filters, latent_dim)
    decoder = build_decoder(input_shape, filters, latent_dim)

    noisy = tf.keras.Input(shape=input_shape, name="noisy")
    clean = decoder(encoder(noisy))
    return tf.keras.Model(noisy, clean, name="autoencoder")


def psnr(clean, restored):
    """Peak signal-to-noise ratio of every image, in decibels; pixels are in [0, 1]."""
    mse = tf.reduce_mean(tf.math.squared_difference(clean, restored), axis=[1, 2, 3])
    return -10.0 * tf.math.log(mse + 1e-8) / tf.math.log(tf.constant(10.0, dtype=mse.dtype))
