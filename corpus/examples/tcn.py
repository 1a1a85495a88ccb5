"""WaveNet-style forecaster: dilated causal convolutions with gates (van den Oord et al., 2016)."""
from tensorflow import keras
from tensorflow.keras import layers

DILATIONS = [1, 2, 4, 8]


def receptive_field(kernel_size=2, dilations=DILATIONS, stacks=1):
    """How many past steps one output can see, itself included."""
    return 1 + stacks * (kernel_size - 1) * sum(dilations)


def gated_block(x, filters, kernel_size, dilation):
    """Returns the input of the next block and the contribution to the output."""
    # padding on the left only: nothing from the future
    content = layers.Conv1D(filters, kernel_size, padding='causal', dilation_rate=dilation,
                            activation='tanh')(x)
    gate = layers.Conv1D(filters, kernel_size, padding='causal', dilation_rate=dilation,
                         activation='sigmoid')(x)
    z = layers.multiply([content, gate])

    skip = layers.Conv1D(filters, 1)(z)
    residual = layers.add([x, skip])
    return residual, skip


def build_tcn(num_series=3, filters=16, kernel_size=2, dilations=DILATIONS, stacks=1, horizon=1):
    """Past values of some series to their next `horizon` values, at every step."""
    history = keras.Input(shape=(None, num_series), name='history')
    x = layers.Conv1D(filters, 1)(history)

    skips = []
    for _ in range(stacks):
        for dilation in dilations:
            x, skip = gated_block(x, filters, kernel_size, dilation)
            skips.append(skip)

    # Every block speaks at every time scale it knows
    x = layers.add(skips)
    x = layers.Activation('relu')(x)
    x = layers.Conv1D(2 * filters, 1, activation='relu')(x)
    forecast = layers.Conv1D(num_series * horizon, 1, name='forecast')(x)
    return keras.Model(history, forecast, name='tcn')


if __name__ == '__main__':
    print('sees', receptive_field(), 'steps')
    build_tcn().summary()
