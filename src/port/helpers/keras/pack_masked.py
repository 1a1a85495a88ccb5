# needs: PackedSequence
import keras


def pack_masked(x, mask):
    """The steps of x where mask is True, moved to the front, and how many they are."""
    mask = keras.ops.cast(mask, "int32")
    order = keras.ops.argsort(keras.ops.where(mask > 0, 0, keras.ops.shape(mask)[1]) + keras.ops.arange(mask.shape[1]))
    x = keras.ops.take_along_axis(x, keras.ops.expand_dims(order, -1), axis=1)
    return PackedSequence(x, keras.ops.sum(mask, axis=1))
