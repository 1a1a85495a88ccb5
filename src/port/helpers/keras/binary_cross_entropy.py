import keras


def binary_cross_entropy(p, target):
    """F.binary_cross_entropy without its reduction: logarithms are cut at -100; Keras cuts the probabilities."""
    yes = keras.ops.maximum(keras.ops.log(p), -100)
    no = keras.ops.maximum(keras.ops.log(1 - p), -100)
    return -(target * yes + (1 - target) * no)
