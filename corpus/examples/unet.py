"""U-Net for segmenting cell images (Ronneberger et al., 2015)."""
from tensorflow.keras import Model, layers


def double_conv(x, filters, dropout=0.0):
    """Two 3 x 3 convolutions, the unit that U-Net repeats everywhere."""
    x = layers.Conv2D(filters, 3, padding='same', use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU()(x)
    if dropout > 0:
        x = layers.Dropout(dropout)(x)
    x = layers.Conv2D(filters, 3, padding='same', use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    return layers.ReLU()(x)


def down(x, filters, dropout=0.0):
    """Returns the features to be skipped across, and the same at half the resolution."""
    skip = double_conv(x, filters, dropout)
    return skip, layers.MaxPooling2D(2)(skip)


def up(x, skip, filters):
    """Back to the resolution of `skip`, and merge with it."""
    x = layers.Conv2DTranspose(filters, 2, strides=2, padding='same')(x)
    x = layers.concatenate([x, skip])
    return double_conv(x, filters)


def build_unet(input_shape=(128, 96, 3), num_classes=3, base_filters=16, depth=3, dropout=0.1):
    """Build U-Net.

    Height and width must be divisible by 2 ** depth.
    """
    inputs = layers.Input(shape=input_shape)

    # Contracting path
    x = inputs
    skips = []
    for level in range(depth):
        skip, x = down(x, base_filters * 2 ** level, dropout)
        skips.append(skip)

    # Bottom of the U
    x = double_conv(x, base_filters * 2 ** depth, dropout)

    # Expanding path: the deepest skip is needed first
    for level in reversed(range(depth)):
        x = up(x, skips[level], base_filters * 2 ** level)

    # One class is a mask, several are a distribution
    activation = 'sigmoid' if num_classes == 1 else 'softmax'
    outputs = layers.Conv2D(num_classes, 1, activation=activation, name='mask')(x)
    return Model(inputs, outputs, name='unet')
