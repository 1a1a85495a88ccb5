"""Named entities: a stacked bidirectional LSTM over words and their spelling."""
from tensorflow import keras
from tensorflow.keras.layers import (
    LSTM, Bidirectional, Concatenate, Dense, Embedding, Input, LayerNormalization, SpatialDropout1D,
    TimeDistributed)

TAGS = ['O', 'B-PER', 'I-PER', 'B-ORG', 'I-ORG', 'B-LOC', 'I-LOC']


def build_tagger(vocab_size=10000, num_shapes=4, num_tags=len(TAGS), embed_dim=50, units=(64, 32)):
    """One distribution over the tags for every word.

    Args:
        vocab_size: number of word ids.
        num_shapes: spelling features of a word (capital, digits, hyphen, ...).
        num_tags: size of the softmax.
        embed_dim: size of the word vectors.
        units: size of each direction, one entry per layer.
    """
    words = Input(shape=(None,), dtype='int32', name='words')
    shapes = Input(shape=(None, num_shapes), name='shapes')

    word_vectors = Embedding(vocab_size, embed_dim)(words)
    # the spelling says most about words that the vocabulary does not know
    spelling = TimeDistributed(Dense(8, activation='tanh'))(shapes)
    x = Concatenate()([word_vectors, spelling])
    x = SpatialDropout1D(0.3)(x)

    # both directions side by side, but summed in the last layer
    for size in units[:-1]:
        x = Bidirectional(LSTM(size, return_sequences=True))(x)
        x = LayerNormalization()(x)
    x = Bidirectional(LSTM(units[-1], return_sequences=True), merge_mode='sum')(x)

    tags = TimeDistributed(Dense(num_tags, activation='softmax'), name='tags')(x)
    return keras.Model([words, shapes], tags, name='tagger')


def entities(words, tags):
    """(kind, text) of every entity, from the tag names of one sentence."""
    found = []
    for word, tag in zip(words, tags):
        if tag.startswith('B-'):
            found.append((tag[2:], word))
        elif tag.startswith('I-') and found:
            kind, text = found[-1]
            found[-1] = (kind, text + ' ' + word)
    return found
