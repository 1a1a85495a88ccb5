"""Translation with an LSTM encoder, an LSTM decoder and dot attention (Luong et al., 2015).

While training, the decoder reads the right sentence, shifted by one word (teacher forcing).
"""
import keras
from keras import layers, ops

START_ID = 1


def shift_right(sentence):
    """What the decoder reads while it should write `sentence`: START, then all words but the last."""
    start = ops.full_like(sentence[:, :1], START_ID)
    return ops.concatenate([start, sentence[:, :-1]], axis=1)


def build_encoder(tokens, vocab_size, embed_dim, units):
    """All outputs of the encoder, and its final state."""
    x = layers.Embedding(vocab_size, embed_dim, name="source_embedding")(tokens)
    outputs, state_h, state_c = layers.LSTM(
        units, return_sequences=True, return_state=True, name="encoder")(x)
    return outputs, [state_h, state_c]


def attend(queries, memory):
    """For every query, the mix of the memory that resembles it."""
    # (batch, target, source)
    scores = layers.Dot(axes=[2, 2])([queries, memory])
    weights = layers.Activation("softmax")(scores)
    # (batch, target, units)
    return layers.Dot(axes=[2, 1])([weights, memory])


def build_seq2seq(source_vocab=6000, target_vocab=5000, embed_dim=64, units=96):
    """[source, shifted target] to the distribution of every next target word."""
    source = keras.Input(shape=(None,), dtype="int32", name="source")
    target = keras.Input(shape=(None,), dtype="int32", name="target")

    memory, state = build_encoder(source, source_vocab, embed_dim, units)

    # The decoder starts where the encoder stopped
    x = layers.Embedding(target_vocab, embed_dim, name="target_embedding")(target)
    decoded = layers.LSTM(units, return_sequences=True, name="decoder")(x, initial_state=state)

    context = attend(decoded, memory)
    x = layers.Concatenate(axis=-1)([context, decoded])
    x = layers.Dense(units, activation="tanh", name="mix")(x)
    x = layers.Dropout(0.2)(x)
    words = layers.Dense(target_vocab, activation="softmax", name="words")(x)
    return keras.Model([source, target], words, name="seq2seq")
