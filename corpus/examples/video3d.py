"""Gestures in short clips, with (2+1)D convolutions (Tran et al., 2018).

A 3D kernel is split into one for space and one for time: fewer weights, one more activation.
"""
import tensorflow as tf
from tensorflow.keras import layers


def conv2plus1d(x, filters, kernel_size=3, stride=1):
    """Space first, then time."""
    x = layers.Conv3D(
        filters,
        (1, kernel_size, kernel_size),
        strides=(1, stride, stride),
        padding='same',
        use_bias=False,
    )(x)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU()(x)
    return layers.Conv3D(filters, (kernel_size, 1, 1), padding='same', use_bias=False)(x)


def residual_block(x, filters, stride=1):
    shortcut = x
    if stride > 1:
        # frames are kept, pixels are not
        shortcut = layers.Conv3D(filters, 1, strides=(1, stride, stride), use_bias=False)(x)
        shortcut = layers.BatchNormalization()(shortcut)

    x = conv2plus1d(x, filters, stride=stride)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU()(x)
    x = conv2plus1d(x, filters)
    x = layers.BatchNormalization()(x)
    return layers.ReLU()(layers.add([x, shortcut]))


def build_video_net(frames=12, size=(56, 72), num_gestures=9, widths=(8, 16, 32)):
    """Clips of shape (frames, height, width, 3) to gesture logits."""
    clip = layers.Input(shape=(frames, *size, 3))

    x = layers.Conv3D(widths[0], (3, 5, 5), strides=(1, 2, 2), padding='same')(clip)
    x = layers.ReLU()(x)

    x = residual_block(x, widths[0])
    for filters in widths[1:]:
        x = residual_block(x, filters, stride=2)

    # merge every two frames, then everything at once
    x = layers.Conv3D(widths[-1], (2, 1, 1), strides=(2, 1, 1), activation='relu')(x)
    x = layers.GlobalAveragePooling3D()(x)
    logits = layers.Dense(num_gestures)(x)
    return tf.keras.Model(clip, logits, name='gestures')
