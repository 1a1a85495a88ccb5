"""Conditional GAN: draw a piece of clothing of a given class.

The discriminator is a projection discriminator (Miyato & Koyama, 2018).
"""
import tensorflow as tf
from tensorflow.keras import layers

NUM_CLASSES = 10


def upsample_block(x, filters, kernel_size=3):
    # Upsampling before a convolution leaves no checkerboard, unlike a transposed convolution.
    x = layers.UpSampling2D(2, interpolation='nearest')(x)
    x = layers.Conv2D(filters, kernel_size, padding='same', use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.8)(x)
    return layers.LeakyReLU(0.2)(x)


def downsample_block(x, filters, normalize=True):
    x = layers.Conv2D(filters, 4, strides=2, padding='same')(x)
    if normalize:
        x = layers.LayerNormalization(epsilon=1e-5)(x)
    return layers.LeakyReLU(0.2)(x)


def build_generator(noise_dim=32, image_shape=(28, 20, 1), base_filters=16):
    """Noise and class to an image in [-1, 1]."""
    height, width, channels = image_shape

    noise = layers.Input(shape=(noise_dim,), name='noise')
    label = layers.Input(shape=(), dtype='int32', name='label')

    # the class modulates the noise
    style = layers.Embedding(NUM_CLASSES, noise_dim)(label)
    x = layers.multiply([noise, style])

    x = layers.Dense(height // 4 * (width // 4) * base_filters * 2)(x)
    x = layers.LeakyReLU(0.2)(x)
    x = layers.Reshape((height // 4, width // 4, base_filters * 2))(x)

    x = upsample_block(x, base_filters * 2)
    x = upsample_block(x, base_filters)
    image = layers.Conv2D(channels, 5, padding='same', activation='tanh')(x)
    return tf.keras.Model([noise, label], image, name='generator')


def build_discriminator(image_shape=(28, 20, 1), base_filters=16):
    """Image and class to one logit."""
    image = layers.Input(shape=image_shape, name='image')
    label = layers.Input(shape=(), dtype='int32', name='label')

    x = downsample_block(image, base_filters, normalize=False)
    x = downsample_block(x, base_filters * 2)
    x = layers.GlobalAveragePooling2D()(x)

    # Is it a real image at all, and is it one of this class?
    real = layers.Dense(1)(x)
    prototype = layers.Embedding(NUM_CLASSES, base_filters * 2)(label)
    matches = layers.Dot(axes=1)([x, prototype])
    logit = layers.add([real, matches])
    return tf.keras.Model([image, label], logit, name='discriminator')


def discriminator_loss(real_logits, fake_logits):
    """Hinge loss: stop pushing once a logit is beyond the margin."""
    real = tf.reduce_mean(tf.nn.relu(1.0 - real_logits))
    fake = tf.reduce_mean(tf.nn.relu(1.0 + fake_logits))
    return real + fake


def generator_loss(fake_logits):
    return -tf.reduce_mean(fake_logits)
