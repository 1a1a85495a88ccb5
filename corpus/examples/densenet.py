"""DenseNet-BC (Huang et al., 2017): every layer sees all layers before it."""
import tensorflow as tf

L = tf.keras.layers


def bn_relu_conv(x, filters, kernel_size):
    """The order of DenseNet: normalise and activate first, then convolve."""
    x = L.BatchNormalization(epsilon=1.001e-5)(x)
    x = L.ReLU()(x)
    return L.Conv2D(filters, kernel_size, padding="same", use_bias=False)(x)


def dense_block(x, num_layers, growth_rate):
    """Each turn of the loop adds `growth_rate` channels to the pile."""
    for _ in range(num_layers):
        y = bn_relu_conv(x, 4 * growth_rate, 1)  # bottleneck
        y = bn_relu_conv(y, growth_rate, 3)
        x = L.Concatenate()([x, y])
    return x


def transition(x, filters):
    """Fewer channels, half the resolution."""
    x = bn_relu_conv(x, filters, 1)
    return L.AveragePooling2D(2, strides=2)(x)


def build_densenet(input_shape=(72, 56, 3), num_classes=8, blocks=(3, 4, 3), growth_rate=8, compression=0.5):
    """Build the classifier.

    `blocks` holds the number of layers of every dense block; between two blocks, a transition
    keeps the share `compression` of the channels.
    """
    inputs = tf.keras.Input(shape=input_shape)
    channels = 2 * growth_rate

    x = L.ZeroPadding2D(3)(inputs)
    x = L.Conv2D(channels, 7, strides=2, use_bias=False)(x)
    x = L.BatchNormalization(epsilon=1.001e-5)(x)
    x = L.ReLU()(x)
    x = L.ZeroPadding2D(1)(x)
    x = L.MaxPooling2D(3, strides=2)(x)

    for i, num_layers in enumerate(blocks):
        if i > 0:
            channels = int(channels * compression)
            x = transition(x, channels)
        x = dense_block(x, num_layers, growth_rate)
        channels += num_layers * growth_rate

    x = L.BatchNormalization(epsilon=1.001e-5)(x)
    x = L.ReLU()(x)
    x = L.GlobalAveragePooling2D()(x)
    outputs = L.Dense(num_classes, activation="softmax")(x)
    return tf.keras.Model(inputs, outputs, name="densenet")
