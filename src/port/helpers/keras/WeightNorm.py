import keras
from keras import layers


class WeightNorm(layers.Wrapper):
    """torch's weight_norm: a layer whose kernel is g * v / ||v||; v is its own, and g is at first the norm of it.

    The norm is over all axes but one, over all of them if `axis` is None. Of a layer that holds others, the kernel is
    that of the first one in it that has one.
    """

    def __init__(self, layer, axis=-1):
        super().__init__(layer)
        self.axis = axis
        self.part = next(each for each in layer._flatten_layers() if hasattr(each, "kernel_initializer"))
        self.initializer = self.part.kernel_initializer

    def build(self, input_shape=None):
        self.part.kernel_initializer = self.initializer  # what was set since is not for v
        if self.part is not self.layer:
            self.layer(keras.KerasTensor(input_shape))  # builds what is inside as it is called
        super().build(input_shape)
        self.g = self.add_weight(shape=self.norm().shape, initializer=lambda shape, dtype: self.norm(), name="g")

    def norm(self):
        v = keras.ops.convert_to_tensor(self.part.kernel)
        axes = [i for i in range(len(v.shape)) if self.axis is None or i != self.axis % len(v.shape)]
        return keras.ops.sqrt(keras.ops.sum(keras.ops.square(v), axes, keepdims=self.axis is not None))

    def call(self, x, *args, **kwargs):
        kernel = self.part.kernel * (self.g / self.norm())
        values = [(w, kernel if w is self.part.kernel else w.value) for w in self.layer.weights]
        with keras.StatelessScope(values) as scope:
            x = self.layer(x, *args, **kwargs)
        for variable in self.layer.non_trainable_variables:  # those that the layer itself changes
            if (value := scope.get_current_value(variable)) is not None:
                variable.assign(value)
        return x
