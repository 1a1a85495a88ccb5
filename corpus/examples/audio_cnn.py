"""Spoken commands from the raw waveform, after M5 (Dai et al., 2017)."""
import tensorflow as tf
from tensorflow import keras

SAMPLE_RATE = 8000
COMMANDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")


class PreEmphasis(keras.layers.Layer):
    """Lift the high frequencies: y[t] = x[t] - c * x[t - 1]."""

    def __init__(self, coefficient=0.97, **kwargs):
        super().__init__(**kwargs)
        self.coefficient = coefficient

    def call(self, waveform):
        # (batch, time, 1); the first sample has nothing before it
        before = tf.pad(waveform[:, :-1, :], [[0, 0], [1, 0], [0, 0]])
        return waveform - self.coefficient * before

    def get_config(self):
        return {**super().get_config(), "coefficient": self.coefficient}


def build_audio_cnn(samples=SAMPLE_RATE, num_commands=len(COMMANDS), width=16, blocks=3):
    """One second of sound to the probability of every command."""
    model = keras.Sequential(name="m5")
    model.add(keras.Input(shape=(samples, 1)))
    model.add(PreEmphasis())

    # Ten milliseconds per window: the network learns its own filter bank.
    model.add(keras.layers.Conv1D(width, kernel_size=80, strides=4))
    model.add(keras.layers.BatchNormalization())
    model.add(keras.layers.Activation("relu"))
    model.add(keras.layers.MaxPooling1D(4))

    for i in range(1, blocks):
        model.add(keras.layers.Conv1D(width * 2 ** i, 3, use_bias=False))
        model.add(keras.layers.BatchNormalization())
        model.add(keras.layers.Activation("relu"))
        model.add(keras.layers.MaxPooling1D(pool_size=2))

    # A command may come at any time
    model.add(keras.layers.GlobalAveragePooling1D())
    model.add(keras.layers.Dense(num_commands, activation="softmax"))
    return model
