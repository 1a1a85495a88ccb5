"""MobileNetV2 (Sandler et al., 2018), cut down for a camera trap."""
import tensorflow as tf
from tensorflow.keras import layers

# expansion, channels, repeats, stride
STAGES = [
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 2, 2),
    (6, 64, 1, 2),
]


def make_divisible(value, divisor=8):
    """Round to a multiple of `divisor`, but never down by more than a tenth."""
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    if rounded < 0.9 * value:
        rounded += divisor
    return rounded


def batch_norm(x):
    return layers.BatchNormalization(epsilon=1e-3, momentum=0.999)(x)


def inverted_residual(x, in_filters, filters, expansion, stride):
    """Expand, filter depthwise, project back without an activation."""
    y = x
    hidden = in_filters * expansion

    if expansion > 1:
        y = layers.Conv2D(hidden, 1, use_bias=False)(y)
        y = batch_norm(y)
        y = layers.ReLU(6.0)(y)

    y = layers.DepthwiseConv2D(3, strides=stride, padding='same', use_bias=False)(y)
    y = batch_norm(y)
    y = layers.ReLU(6.0)(y)

    # linear bottleneck: a ReLU here would lose information
    y = layers.Conv2D(filters, 1, use_bias=False)(y)
    y = batch_norm(y)

    if stride == 1 and in_filters == filters:
        y = layers.Add()([x, y])
    return y


def build_mobilenet(input_shape=(96, 128, 3), num_classes=12, alpha=1.0, stages=STAGES):
    """Species of the animal in a picture; `alpha` scales all widths."""
    image = layers.Input(shape=input_shape)
    x = layers.Rescaling(1.0 / 127.5, offset=-1.0)(image)

    filters = make_divisible(16 * alpha)
    x = layers.Conv2D(filters, 3, strides=2, padding='same', use_bias=False)(x)
    x = batch_norm(x)
    x = layers.ReLU(6.0)(x)

    for expansion, channels, repeats, first_stride in stages:
        out_filters = make_divisible(channels * alpha)
        for i in range(repeats):
            stride = first_stride if i == 0 else 1
            x = inverted_residual(x, filters, out_filters, expansion, stride)
            filters = out_filters

    # A separable convolution is all that the budget allows here
    x = layers.SeparableConv2D(2 * filters, 3, padding='same', activation='relu')(x)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(0.2)(x)
    outputs = layers.Dense(num_classes, activation='softmax')(x)
    return tf.keras.Model(image, outputs, name='mobilenet')
