"""Cells that take the outputs of the two cells before: sizes that one call decides, tensors that may be None."""
import keras
from keras import layers
from keras.src.applications import imagenet_utils

CASES = {"build()": ["f32[2,32,48,3]"], "build(skip=False)": ["f32[2,32,48,3]"], "defaults()": ["f32[2,12,10,3]"],
         "loop()": ["f32[2,12,10,3]"], "stale()": ["f32[2,12,10,3]"], "swap()": ["f32[2,12,10,3]"],
         "choice()": ["f32[2,12,10,3]"], "choice(False)": ["f32[2,12,10,3]"], "local()": ["f32[2,12,10,3]"],
         "local(False)": ["f32[2,12,10,3]"], "turned()": ["f32[2,12,10,3]"]}


def _conv(ip, filters, kernel_size=(3, 3), strides=(1, 1)):
    x = layers.Activation("relu")(ip)
    if strides == (2, 2):
        x = layers.ZeroPadding2D(((1, 1), (1, 1)))(x)
        conv_pad = "valid"
    else:
        conv_pad = "same"
    x = layers.SeparableConv2D(filters, kernel_size, strides=strides, padding=conv_pad, use_bias=False)(x)
    return layers.BatchNormalization()(x)


def _adjust(p, ip, filters):
    if p is None:
        p = ip
    elif p.shape[-2] != ip.shape[-2]:
        p = layers.Activation("relu")(p)
        p = layers.AveragePooling2D((1, 1), strides=(2, 2), padding="valid")(p)
        p = layers.Conv2D(filters, (1, 1), use_bias=False)(p)
    elif p.shape[-1] != filters:
        p = layers.Conv2D(filters, (1, 1))(p)
        p = layers.BatchNormalization()(p)
    return p


def _normal(ip, p, filters):
    p = _adjust(p, ip, filters)
    h = layers.Conv2D(filters, (1, 1), padding="same")(ip)
    x1 = layers.add([_conv(h, filters, (5, 5)), _conv(p, filters)])
    x = layers.concatenate([p, x1, h], axis=-1)
    return x, ip


def _reduce(ip, p, filters):
    p = _adjust(p, ip, filters)
    h = layers.Conv2D(filters, (1, 1), padding="same")(ip)
    x1 = layers.add([_conv(h, filters, strides=(2, 2)), _conv(p, filters, strides=(2, 2))])
    h3 = layers.ZeroPadding2D(imagenet_utils.correct_pad(h, 3))(h)
    x2 = layers.MaxPooling2D((3, 3), strides=(2, 2))(h3)
    x = layers.concatenate([x1, x2], axis=-1)
    return x, ip


def build(num_blocks=2, filters=4, skip=True):
    inputs = keras.Input((32, 48, 3))
    x = layers.Conv2D(6, (3, 3), strides=(2, 2), padding="valid")(inputs)
    p = None
    x, p = _reduce(x, p, filters)
    x, p = _reduce(x, p, filters)
    for i in range(num_blocks):
        x, p = _normal(x, p, filters)
    x, p0 = _reduce(x, p, filters * 2)
    p = p0 if not skip else p
    for i in range(num_blocks):
        x, p = _normal(x, p, filters * 2)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(5)(x))


def _merge(x, skip=None, filters=4):
    x = layers.Conv2D(filters, 3, padding="same")(x)
    if skip is not None:
        skip = layers.Conv2D(filters, 1)(skip)
        x = layers.add([x, skip])
    return x


def defaults():
    inputs = keras.Input((12, 10, 3))
    a = _merge(inputs, filters=6)
    b = _merge(a, inputs)
    c = _merge(filters=5, skip=a, x=b)
    return keras.Model(inputs, c)


def _cell(ip, p, filters):
    if p is None:
        p = ip
    p = layers.Conv2D(filters, 1)(p)
    x = layers.concatenate([layers.Conv2D(filters, 1)(ip), p])
    return x, ip


def loop(n=3):
    inputs = keras.Input((12, 10, 3))
    x, p = inputs, None
    for i in range(n):
        x, p = _cell(x, p, 4 + i)
    return keras.Model(inputs, x)


def stale(n=2):
    x = inputs = keras.Input((12, 10, 3))
    for i in range(n):
        x = layers.Conv2D(4 + i, 1)(x)
    y = x
    for i in range(n):
        x = layers.Conv2D(6 + i, 1)(x)
        x = layers.concatenate([x, layers.Conv2D(2, 1)(y)])
    return keras.Model(inputs, layers.concatenate([x, layers.Conv2D(2, 1)(y)]))


def swap(n=3):
    inputs = keras.Input((12, 10, 3))
    a = layers.Conv2D(4, 1)(inputs)
    b = layers.Conv2D(6, 1)(inputs)
    for i in range(n):
        a, b = layers.Activation("relu")(b), layers.Conv2D(7, 1)(a)
    return keras.Model(inputs, layers.concatenate([layers.Conv2D(2, 1)(a), layers.Conv2D(3, 1)(b)]))


def choice(flag=True):
    inputs = keras.Input((12, 10, 3))
    a = layers.Conv2D(4, 1)(inputs)
    b = layers.Conv2D(6, 1)(inputs)
    c = a if flag else b
    d = layers.concatenate([layers.Conv2D(5, 1)(c), a, b])
    e = layers.concatenate([inputs if flag else a, d])
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(layers.Conv2D(5, 1)(e)))


def local(flag=True):
    inputs = keras.Input((12, 10, 3))
    p = None
    if flag:
        p = layers.Conv2D(4, 1)(inputs)
    x = layers.Conv2D(5, 1)(inputs)
    if p is not None:
        x = layers.concatenate([x, layers.Conv2D(2, 1)(p)])
    return keras.Model(inputs, x)


def turned(n=3):
    inputs = keras.Input((12, 10, 3))
    a = layers.Conv2D(4, 1)(inputs)
    b = layers.Conv2D(6, 1)(inputs)
    for i in range(n):
        a, b = b, a
    return keras.Model(inputs, layers.concatenate([layers.Conv2D(2, 1)(a), layers.Conv2D(3, 1)(b)]))
