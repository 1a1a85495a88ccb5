"""Variational autoencoder (Kingma & Welling, 2014) on small grey images.

The noise is an argument: a sample can be drawn again, and a test can be exact.
"""
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers


class Encoder(layers.Layer):
    """Image to mean and log variance of the latent distribution."""

    def __init__(self, latent_dim, filters=8, **kwargs):
        super().__init__(**kwargs)
        self.conv1 = layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu")
        self.conv2 = layers.Conv2D(2 * filters, 3, strides=2, padding="same", activation="relu")
        self.flatten = layers.Flatten()
        self.mean = layers.Dense(latent_dim)
        self.log_var = layers.Dense(latent_dim)

    def call(self, images):
        x = self.conv1(images)
        x = self.conv2(x)
        x = self.flatten(x)
        return self.mean(x), self.log_var(x)


class Sampling(layers.Layer):
    """The reparameterisation trick: z = mean + sigma * noise."""

    def call(self, mean, log_var, noise):
        return mean + tf.exp(0.5 * log_var) * noise


class Decoder(layers.Layer):
    """Latent vector to the probability of every pixel."""

    def __init__(self, image_shape, filters=8, **kwargs):
        super().__init__(**kwargs)
        height, width, channels = image_shape
        # the encoder halves the resolution twice
        self.project = layers.Dense(height // 4 * (width // 4) * 2 * filters, activation="relu")
        self.reshape = layers.Reshape((height // 4, width // 4, 2 * filters))
        self.up1 = layers.Conv2DTranspose(2 * filters, 3, strides=2, padding="same", activation="relu")
        self.up2 = layers.Conv2DTranspose(filters, 3, strides=2, padding="same", activation="relu")
        self.pixels = layers.Conv2D(channels, 3, padding="same", activation="sigmoid")

    def call(self, z):
        x = self.reshape(self.project(z))
        x = self.up2(self.up1(x))
        return self.pixels(x)


class VAE(keras.Model):
    """Encoder, sample, decoder; returns what the loss needs."""

    def __init__(self, image_shape=(28, 20, 1), latent_dim=4, **kwargs):
        super().__init__(**kwargs)
        self.latent_dim = latent_dim
        self.encoder = Encoder(latent_dim)
        self.sampling = Sampling()
        self.decoder = Decoder(image_shape)

    def call(self, images, noise):
        mean, log_var = self.encoder(images)
        z = self.sampling(mean, log_var, noise)
        return self.decoder(z), mean, log_var


def kl_divergence(mean, log_var):
    """Distance of the latent distribution from the standard normal, per image."""
    return -0.5 * tf.reduce_sum(1 + log_var - tf.square(mean) - tf.exp(log_var), axis=-1)


def vae_loss(images, reconstruction, mean, log_var, beta=1.0):
    """Negative evidence lower bound, averaged over the batch."""
    errors = keras.losses.binary_crossentropy(images, reconstruction)
    reconstruction_loss = tf.reduce_sum(errors, axis=[1, 2])
    return tf.reduce_mean(reconstruction_loss + beta * kl_divergence(mean, log_var))
