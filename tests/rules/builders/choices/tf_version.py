"""Classes and functions that a setting chooses; imports that one chooses, too."""
from keras.config import backend

if backend() == "tensorflow":
    from tensorflow import keras
    from tensorflow.keras import layers
    from tensorflow.keras.layers import Conv2D, Dropout, SpatialDropout2D
else:
    import keras
    from keras import layers
    from keras.layers import Conv2D, Dropout, SpatialDropout2D

CASES = {"unet()": ["f32[2,16,12,3]"], "unet('simple', 'standard', True)": ["f32[2,16,12,3]"],
         "unet(dropout=0.5)": ["f32[2,16,12,3]"]}


def up_conv(filters):
    return layers.Conv2DTranspose(filters, 2, strides=2)


def up_simple(filters):
    return layers.UpSampling2D(2)


def block(inputs, filters, dropout=0.0, kind="spatial"):
    if kind == "spatial":
        drop = SpatialDropout2D
    elif kind == "standard":
        drop = Dropout
    else:
        raise ValueError(f"kind must be 'spatial' or 'standard', not {kind}")
    x = Conv2D(filters, 3, padding="same", activation="relu")(inputs)
    if dropout > 0.0:
        x = drop(dropout)(x)
    return Conv2D(filters, 3, padding="same")(x)


def gate(below, skip):
    return layers.multiply([Conv2D(below.shape[-1], 1)(skip), below])


def unet(mode="deconv", kind="spatial", gated=False, dropout=0.0, depth=2):
    up = up_conv if mode == "deconv" else up_simple
    inputs = keras.Input((16, 12, 3))
    x = inputs
    skips = []
    filters = 4
    for _ in range(depth):
        x = block(x, filters, dropout, kind)
        skips.append(x)
        x = layers.MaxPooling2D()(x)
        filters *= 2
    for skip in reversed(skips):
        filters //= 2
        x = up(filters)(x)
        x = gate(below=x, skip=skip) if gated else layers.concatenate([x, skip])
        x = block(x, filters, kind=kind)
    return keras.Model(inputs, Conv2D(2, 1)(x))
