"""Residual network with squeeze-and-excitation (Hu et al., 2018)."""
from tensorflow import keras
from tensorflow.keras import layers


def conv_bn(x, filters, kernel_size, strides=1, activation='relu'):
    x = layers.Conv2D(filters, kernel_size, strides=strides, padding='same', use_bias=False,
                      kernel_initializer='he_normal')(x)
    x = layers.BatchNormalization(epsilon=1e-5)(x)
    if activation is not None:
        x = layers.Activation(activation)(x)
    return x


def squeeze_excite(x, filters, ratio=4):
    """Weigh the channels by what the whole image contains."""
    # squeeze: one number per channel
    se = layers.GlobalAveragePooling2D()(x)
    # excite: which channels go together
    se = layers.Dense(filters // ratio, activation='relu')(se)
    se = layers.Dense(filters, activation='sigmoid')(se)
    se = layers.Reshape((1, 1, filters))(se)
    return layers.multiply([x, se])


def se_block(x, filters, strides=1, ratio=4, project=False):
    """Basic residual block whose branch is reweighted before the sum."""
    shortcut = x
    if project:
        shortcut = conv_bn(x, filters, 1, strides, activation=None)

    x = conv_bn(x, filters, 3, strides)
    x = conv_bn(x, filters, 3, activation=None)
    x = squeeze_excite(x, filters, ratio)

    x = layers.Add()([x, shortcut])
    return layers.Activation('relu')(x)


def build_se_resnet(input_shape=(64, 48, 3), num_classes=10, blocks=(2, 2, 2), base_filters=16, ratio=4):
    """Build the classifier.

    Args:
        input_shape: height, width and channels.
        num_classes: number of logits.
        blocks: how many residual blocks every stage has.
        base_filters: channels of the first stage, doubled from stage to stage.
        ratio: bottleneck of the squeeze.
    """
    inputs = keras.Input(shape=input_shape)
    x = conv_bn(inputs, base_filters, 3)

    for stage, count in enumerate(blocks):
        filters = base_filters * 2 ** stage
        for block in range(count):
            first = block == 0
            strides = 2 if first and stage > 0 else 1
            x = se_block(x, filters, strides, ratio, project=first)

    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(0.2)(x)
    outputs = layers.Dense(num_classes, name='logits')(x)  # softmax is part of the loss
    return keras.Model(inputs, outputs, name='se_resnet')
