"""Write a line of text letter by letter: a small language model and greedy decoding."""
import tensorflow as tf
from tensorflow import keras

PAD, END = 0, 1


def build_language_model(vocab_size=64, embed_dim=24, units=48):
    """Letters so far to the logits of the letter after each of them."""
    letters = keras.Input(shape=(None,), dtype="int32")
    x = keras.layers.Embedding(vocab_size, embed_dim)(letters)
    x = keras.layers.GRU(units, return_sequences=True)(x)
    x = keras.layers.GRU(units, return_sequences=True)(x)
    logits = keras.layers.Dense(vocab_size)(x)
    return keras.Model(letters, logits, name="letters")


def greedy_decode(model, prompt, steps=20):
    """Append the most probable letter `steps` times.

    Args:
        model: maps (batch, time) ids to (batch, time, vocabulary) logits.
        prompt: ids of the beginning of every line.
        steps: how many letters to write.

    Returns:
        The lines, prompt included, and the log-probability of what was written. After END a
        line is filled up with PAD, which costs nothing.
    """
    letters = prompt
    score = 0.0
    finished = tf.reduce_any(tf.equal(prompt, END), axis=1)

    for _ in range(steps):
        log_probs = tf.nn.log_softmax(model(letters)[:, -1, :])
        best = tf.argmax(log_probs, axis=-1, output_type=letters.dtype)

        score += tf.where(finished, 0.0, tf.reduce_max(log_probs, axis=-1))
        best = tf.where(finished, PAD, best)
        letters = tf.concat([letters, best[:, tf.newaxis]], axis=1)
        finished = tf.logical_or(finished, tf.equal(best, END))

    return letters, score


class Writer(keras.Model):
    """The language model and the loop in one piece, for export."""

    def __init__(self, vocab_size=64, steps=20, **kwargs):
        super().__init__(**kwargs)
        self.steps = steps
        self.language_model = build_language_model(vocab_size)

    def call(self, prompt):
        return greedy_decode(self.language_model, prompt, self.steps)
