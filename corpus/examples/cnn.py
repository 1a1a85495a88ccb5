"""Traffic signs: a plain convolutional network, grown layer by layer."""
import tensorflow as tf
from tensorflow.keras.callbacks import EarlyStopping
from tensorflow.keras.layers import (
    BatchNormalization, Conv2D, Dense, Dropout, Flatten, Input, MaxPooling2D)
from tensorflow.keras.models import Sequential


def build_cnn(input_shape=(40, 32, 3), num_classes=43, filters=(16, 32, 48)):
    """Convolutions in stages; every stage halves the resolution."""
    model = Sequential(name='signs')
    model.add(Input(shape=input_shape))

    # A wide first kernel sees the whole border of a small sign.
    model.add(Conv2D(filters[0], (5, 5), padding='same', activation='relu'))
    model.add(BatchNormalization())
    model.add(MaxPooling2D())

    for count in filters[1:]:
        model.add(Conv2D(count, (3, 3), padding='same', activation='relu'))
        model.add(Conv2D(count, (3, 3), activation='relu'))
        model.add(BatchNormalization())
        model.add(MaxPooling2D((2, 2)))
        model.add(Dropout(0.2))

    # Classifier
    model.add(Flatten())
    model.add(Dense(64, activation='relu'))
    model.add(Dropout(0.5))
    model.add(Dense(num_classes, activation='softmax'))
    return model


def train(images, labels, epochs=30):
    model = build_cnn(images.shape[1:], num_classes=int(labels.max()) + 1)
    model.compile(
        optimizer=tf.keras.optimizers.Adam(learning_rate=1e-3),
        loss='sparse_categorical_crossentropy',
        metrics=['accuracy'],
    )
    model.fit(
        images, labels,
        batch_size=64,
        epochs=epochs,
        validation_split=0.1,
        callbacks=[EarlyStopping(patience=3, restore_best_weights=True)],
    )
    return model
