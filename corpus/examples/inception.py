"""GoogLeNet in miniature (Szegedy et al., 2015): every scale at once."""
from keras.layers import (
    AveragePooling2D, Conv2D, Dense, Dropout, Flatten, GlobalAveragePooling2D, Input, MaxPooling2D,
    concatenate)
from keras.models import Model


def conv(x, filters, kernel_size, strides=1):
    return Conv2D(filters, kernel_size, strides=strides, padding='same', activation='relu')(x)


def inception_module(x, f1, f3, f5, pool):
    """Four views of the same input, side by side.

    Args:
        x: feature maps.
        f1: filters of the 1 x 1 branch.
        f3: pair, reduction and filters of the 3 x 3 branch.
        f5: pair, reduction and filters of the 5 x 5 branch.
        pool: filters after the pooling branch.
    """
    one = conv(x, f1, 1)

    three = conv(x, f3[0], 1)
    three = conv(three, f3[1], 3)

    # 5 x 5, as one row and one column
    five = conv(x, f5[0], 1)
    five = conv(five, f5[1], (1, 5))
    five = conv(five, f5[1], (5, 1))

    pooled = MaxPooling2D((3, 3), strides=(1, 1), padding='same')(x)
    pooled = conv(pooled, pool, 1)

    return concatenate([one, three, five, pooled], axis=-1)


def auxiliary_head(x, num_classes):
    """A second opinion from the middle of the network, to feed it gradients."""
    x = AveragePooling2D((5, 5), strides=3)(x)
    x = conv(x, 16, 1)
    x = Flatten()(x)
    x = Dropout(0.7)(x)
    return Dense(num_classes, activation='softmax', name='auxiliary')(x)


def build_inception(input_shape=(64, 80, 3), num_classes=20):
    """Two outputs: the classifier and the auxiliary classifier."""
    image = Input(shape=input_shape)

    # Stem
    x = conv(image, 16, 7, strides=2)
    x = MaxPooling2D(3, strides=2, padding='same')(x)

    x = inception_module(x, 8, (6, 12), (2, 4), 4)
    x = inception_module(x, 12, (8, 16), (3, 6), 6)
    aux = auxiliary_head(x, num_classes)

    x = MaxPooling2D(3, strides=2, padding='same')(x)
    x = inception_module(x, 16, (10, 20), (4, 8), 8)

    x = GlobalAveragePooling2D()(x)
    x = Dropout(0.4)(x)
    main = Dense(num_classes, activation='softmax', name='main')(x)
    return Model(image, [main, aux], name='inception')
