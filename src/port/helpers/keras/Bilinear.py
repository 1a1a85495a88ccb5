import keras
from keras import initializers, layers


class Bilinear(layers.Layer):
    """nn.Bilinear: x1^T weight x2 + bias, with weight of shape (out, in1, in2)."""

    def __init__(self, in1_features, in2_features, out_features, bias=True):
        super().__init__()
        bound = in1_features ** -0.5
        self.weight = self.add_weight(shape=(out_features, in1_features, in2_features), name="weight",
                                      initializer=initializers.RandomUniform(-bound, bound))
        self.bias = self.add_weight(shape=(out_features,), name="bias",
                                    initializer=initializers.RandomUniform(-bound, bound)) if bias else None

    def call(self, input1, input2):
        y = keras.ops.einsum("...i,oij,...j->...o", input1, self.weight, input2)
        return y if self.bias is None else y + self.bias
