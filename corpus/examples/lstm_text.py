"""Is this movie review a good one? A small LSTM over word ids."""
import re

from tensorflow.keras.layers import (
    LSTM, Dense, Dropout, Embedding, GlobalMaxPooling1D, Input, SpatialDropout1D)
from tensorflow.keras.models import Model
from tensorflow.keras.optimizers import RMSprop

MAX_WORDS = 20000
MAX_LENGTH = 200

PAD, UNKNOWN = 0, 1


def encode(review, word_index, length=MAX_LENGTH):
    """A review as a list of `length` ids; the end of a review says more than its beginning."""
    words = re.findall(r"[a-z']+", review.lower())
    ids = [word_index.get(word, UNKNOWN) for word in words][-length:]
    return [PAD] * (length - len(ids)) + ids


def build_model(vocab_size=MAX_WORDS, embed_dim=64, units=32):
    """Word ids to the probability of a positive review."""
    inputs = Input(shape=(None,), dtype='int32', name='words')
    x = Embedding(vocab_size, embed_dim)(inputs)
    x = SpatialDropout1D(0.2)(x)
    x = LSTM(units, return_sequences=True)(x)
    x = GlobalMaxPooling1D()(x)  # the strongest word wins, wherever it stands
    x = Dense(units, activation='relu')(x)
    x = Dropout(0.5)(x)
    outputs = Dense(1, activation='sigmoid')(x)
    return Model(inputs=inputs, outputs=outputs)


def train(reviews, labels, epochs=5):
    """Fit on encoded reviews; labels are 0 and 1."""
    model = build_model()
    model.compile(loss='binary_crossentropy', optimizer=RMSprop(learning_rate=1e-3), metrics=['accuracy'])
    history = model.fit(reviews, labels, batch_size=128, epochs=epochs, validation_split=0.2)
    print('best accuracy: {:.3f}'.format(max(history.history['val_accuracy'])))
    return model
