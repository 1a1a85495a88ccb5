"""Signature verification with a siamese network, in the style of Keras 2.

Two scans go through one tower; small distances mean the same hand.
"""
from tensorflow.keras import backend as K
from tensorflow.keras.layers import Conv2D, Dense, Flatten, Input, Lambda, MaxPooling2D
from tensorflow.keras.models import Model, Sequential

SCAN = (44, 68, 1)
MARGIN = 1.0


def build_tower(input_shape):
    """The part that both scans share."""
    tower = Sequential(name='tower')
    tower.add(Input(shape=input_shape))
    tower.add(Conv2D(8, (5, 5), activation='relu'))
    tower.add(MaxPooling2D(pool_size=(2, 2)))
    tower.add(Conv2D(12, (3, 3), activation='relu'))
    tower.add(MaxPooling2D(pool_size=(2, 2)))
    tower.add(Conv2D(16, (3, 3), activation='relu'))
    tower.add(Flatten())
    tower.add(Dense(24, activation='sigmoid'))
    return tower


def euclidean_distance(vectors):
    x, y = vectors
    square = K.sum(K.square(x - y), axis=1, keepdims=True)
    # the square root has no slope at zero
    return K.sqrt(K.maximum(square, K.epsilon()))


def contrastive_loss(y_true, y_pred):
    """Hadsell et al. (2006): y_true is 1 for a genuine pair, 0 for a forgery."""
    y_true = K.cast(y_true, y_pred.dtype)
    pull = K.square(y_pred)
    push = K.square(K.maximum(MARGIN - y_pred, 0))
    return K.mean(y_true * pull + (1 - y_true) * push)


def accuracy(y_true, y_pred):
    """Share of pairs on the right side of half the margin."""
    genuine = K.cast(y_pred < MARGIN / 2, K.floatx())
    return K.mean(K.equal(K.cast(y_true, K.floatx()), genuine))


left = Input(shape=SCAN, name='left')
right = Input(shape=SCAN, name='right')

# the same weights for both
tower = build_tower(SCAN)
distance = Lambda(euclidean_distance, output_shape=(1,), name='distance')([tower(left), tower(right)])

model = Model(inputs=[left, right], outputs=distance, name='siamese')
