import keras
from keras import layers


def no_gradient(values):
    """What torch.no_grad() gives: tensors, in tuples, lists and dicts as well, that pass no gradient on."""
    def stopped(value):
        if value is None or isinstance(value, (bool, int, float, str, layers.Layer)):
            return value
        return keras.ops.stop_gradient(value)  # of anything else than a tensor, it raises

    return keras.tree.map_structure(stopped, values)
