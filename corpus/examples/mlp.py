"""Strength of a concrete mix, from its recipe and its age."""
import tensorflow as tf

FEATURES = [
    "cement", "slag", "fly_ash", "water", "superplasticizer",
    "coarse_aggregate", "fine_aggregate", "age_days",
]


def build_mlp(num_features=len(FEATURES), hidden=64, dropout=0.1, weight_decay=1e-4):
    """Three hidden layers and one linear output, in MPa.

    Args:
        num_features: columns of the standardised table.
        hidden: units of the first layer; every later one has half as many.
        dropout: rate after each of the wide layers.
        weight_decay: L2 penalty on the first kernel.
    """
    return tf.keras.Sequential([
        tf.keras.Input(shape=(num_features,)),

        # The recipe interacts strongly: give the first layer room.
        tf.keras.layers.Dense(
            hidden,
            use_bias=False,
            kernel_initializer="he_normal",
            kernel_regularizer=tf.keras.regularizers.l2(weight_decay),
        ),
        tf.keras.layers.BatchNormalization(),
        tf.keras.layers.Activation("relu"),
        tf.keras.layers.Dropout(dropout),

        tf.keras.layers.Dense(hidden // 2, activation="relu", kernel_initializer="he_normal"),
        tf.keras.layers.Dropout(dropout),

        tf.keras.layers.Dense(hidden // 4, activation="softplus"),
        tf.keras.layers.Dense(1, name="strength"),
    ], name="concrete")


def relative_error(y_true, y_pred):
    """Mean error as a fraction of the measured strength."""
    return tf.reduce_mean(tf.abs(y_true - y_pred) / tf.maximum(tf.abs(y_true), 1.0))


if __name__ == "__main__":
    build_mlp().summary()
