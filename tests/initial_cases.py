"""Layers and whole files whose initial values `test_initial` compares; sizes tell the weights apart."""

import textwrap

HEAD = "import tensorflow as tf\nimport keras\nfrom keras import initializers, layers\n\n\n"
D, C, S = (90,), (20, 20, 30), (7, 60)  # inputs: vectors, images, sequences
BY_NAME = ["glorot_uniform", "glorot_normal", "he_normal", "he_uniform", "lecun_normal", "lecun_uniform",
           "orthogonal", "random_normal", "random_uniform", "truncated_normal", "zeros", "ones", "normal",
           "HeNormal", "uniform"]
FANS = "keras.initializers.VarianceScaling(2.0, 'fan_out')"
# name -> (input, layer); every one is built in both frameworks
LAYERS = {
    **{f"dense_{n}": (D, f"layers.Dense(150, kernel_initializer='{n}')") for n in BY_NAME},
    **{f"conv_{n}": (C, f"layers.Conv2D(40, 3, kernel_initializer='{n}', use_bias=False)") for n in (
        "he_normal", "lecun_uniform", "orthogonal", "glorot_normal", "he_uniform")},
    **{f"transposed_{n}": (C, f"layers.Conv2DTranspose(45, 4, 2, padding='same', kernel_initializer='{n}')")
       for n in ("glorot_uniform", "he_normal", "orthogonal", "lecun_uniform")},
    "none": (D, "layers.Dense(2000, kernel_initializer=None, bias_initializer=None)"),
    "bias": (D, "layers.Dense(2000, bias_initializer=keras.initializers.RandomUniform(-2.0, 3.0))"),
    "constant": (D, "layers.Dense(150, bias_initializer=tf.constant_initializer(0.25))"),
    "identity": (D, "layers.Dense(90, kernel_initializer='identity')"),
    "object": (D, "layers.Dense(150, kernel_initializer=keras.initializers.TruncatedNormal(stddev=0.02))"),
    "tf_object": (D, "layers.Dense(150, kernel_initializer=tf.random_normal_initializer(0.5, 0.02))"),
    "cls": (D, "layers.Dense(150, kernel_initializer=keras.initializers.HeNormal)"),
    "get": (D, "layers.Dense(150, kernel_initializer=keras.initializers.get('lecun_normal'))"),
    "scaled": (D, f"layers.Dense(150, kernel_initializer={FANS})"),
    "scaled_uniform": (D, "layers.Dense(150, kernel_initializer=initializers.VarianceScaling(\n"
                          "        scale=1. / 3., mode='fan_out', distribution='uniform'))"),
    "scaled_normal": (D, "layers.Dense(150, kernel_initializer=initializers.VarianceScaling(\n"
                         "        0.1, distribution='untruncated_normal'))"),
    "dictionary": (C, "layers.Conv2D(40, 3, kernel_initializer={'class_name': 'VarianceScaling', 'config':\n"
                      "        {'scale': 2.0, 'mode': 'fan_out', 'distribution': 'truncated_normal'}})"),
    "gain": (D, "layers.Dense(150, kernel_initializer=initializers.Orthogonal(gain=2.0))"),
    "grouped": (C, "layers.Conv2D(60, 5, groups=3, kernel_initializer='he_normal')"),
    "conv1d": (S, "layers.Conv1D(70, 3, kernel_initializer='he_uniform')"),
    "conv3d": ((6, 6, 6, 8), "layers.Conv3D(20, 3)"),
    "same": (C, "layers.Conv2D(40, 3, strides=2, padding='same', kernel_initializer='lecun_normal')"),
    "depthwise": ((9, 9, 300), "layers.DepthwiseConv2D(7)"),
    "depthwise_multiplied": ((9, 9, 300), "layers.DepthwiseConv2D(5, depth_multiplier=3, use_bias=False)"),
    "depthwise_he": ((9, 9, 300), "layers.DepthwiseConv2D(7, depthwise_initializer='he_normal')"),
    "depthwise_out": ((9, 9, 300), f"layers.DepthwiseConv2D(7, depthwise_initializer={FANS})"),
    "separable": ((9, 9, 300), "layers.SeparableConv2D(80, 5)"),
    "separable_he": ((9, 9, 300), "layers.SeparableConv2D(80, 5, depth_multiplier=2,\n"
                     "        depthwise_initializer='he_normal', pointwise_initializer='lecun_normal')"),
    "separable1d": ((20, 600), "layers.SeparableConv1D(80, 5, padding='same')"),
    "einsum": (S, "layers.EinsumDense('abc,cde->abde', (None, 12, 17), bias_axes='de')"),
    "einsum_normal": (S, "layers.EinsumDense('abc,cde->abde', (None, 12, 17),\n"
                         "        kernel_initializer='random_normal')"),
    "embedding": ((5,), "layers.Embedding(300, 60)"),
    "embedding_he": ((5,), "layers.Embedding(300, 60, embeddings_initializer='he_normal')"),
    "embedding_glorot": ((5,), "layers.Embedding(300, 60, embeddings_initializer='glorot_uniform')"),
    "embedding_normal": ((5,), "layers.Embedding(300, 60,\n"
                         "        embeddings_initializer=initializers.RandomNormal(0., 2.))"),
    "batch_norm": (C, "layers.BatchNormalization(gamma_initializer='zeros',\n"
                      "        beta_initializer=initializers.Constant(0.5))"),
    "layer_norm": (D, "layers.LayerNormalization(gamma_initializer=initializers.RandomNormal(1.0, 0.02))"),
    "prelu": (C, "layers.PReLU(alpha_initializer=initializers.Constant(0.25))"),
    "prelu_shared": (C, "layers.PReLU(shared_axes=[1, 2])"),
    "lstm": (S, "layers.LSTM(50)"),
    "lstm_he": (S, "layers.LSTM(50, kernel_initializer='he_normal', recurrent_initializer='random_normal',\n"
                   "        bias_initializer='ones', unit_forget_bias=False)"),
    "lstm_forget": (S, "layers.LSTM(50, bias_initializer=initializers.Constant(0.5))"),
    "lstm_cell": (S, "layers.LSTM(50, recurrent_activation='hard_sigmoid', kernel_initializer='lecun_normal')"),
    "gru": (S, "layers.GRU(50)"),
    "gru_cell": (S, "layers.GRU(50, reset_after=False, bias_initializer='ones')"),
    "rnn": (S, "layers.SimpleRNN(70, kernel_initializer='he_uniform')"),
    "bidirectional": (S, "layers.Bidirectional(layers.LSTM(50, bias_initializer='ones'))"),
    "conv_lstm": ((3, 8, 8, 20), "layers.ConvLSTM2D(15, 3)"),
    "time": ((4, 90), "layers.TimeDistributed(layers.Dense(150, kernel_initializer='he_normal'))"),
}
# whole files: several layers, so that branches and lines after them meet
FILES = {
    "mixed": """
        def build():
            x = inputs = keras.Input((20, 20, 30))
            x = layers.Conv2D(40, 3, kernel_initializer='he_normal', name='stem')(x)
            x = layers.SeparableConv2D(50, 3, depthwise_initializer='he_uniform')(x)
            x = layers.DepthwiseConv2D(5, depthwise_initializer='lecun_normal', use_bias=False)(x)
            x = layers.Conv2D(40, 3, kernel_initializer='he_normal', use_bias=False)(x)
            x = layers.Conv2DTranspose(45, 3, kernel_initializer='lecun_uniform')(x)
            x = layers.GlobalAveragePooling2D()(x)
            x = layers.Dense(150, kernel_initializer='he_normal', bias_initializer='ones')(x)
            return keras.Model(inputs, layers.Dense(151, name='head')(x))
        """,
    "blocks": """
        INIT = initializers.TruncatedNormal(stddev=0.3)


        def block(x, filters, init='he_normal'):
            x = layers.Conv2D(filters, 3, kernel_initializer=init)(x)
            return layers.Conv2D(filters, 3, kernel_initializer=INIT)(x)


        def build():
            x = inputs = keras.Input((20, 20, 30))
            for filters in (31, 32):
                x = block(x, filters)
            for filters in (33, 34):
                x = layers.Conv2D(filters, 3, kernel_initializer='lecun_uniform')(x)
            x = layers.Conv2D(35, 3)(x)
            x = layers.Conv2D(36, 3, bias_initializer='ones')(x)
            return keras.Model(inputs, layers.Conv2D(37, 3)(x))
        """,
    "classes": """
        class Inner(layers.Layer):
            def __init__(self, units, **kwargs):
                super().__init__(**kwargs)
                self.first = layers.Dense(units, kernel_initializer='he_normal')
                self.rest = [layers.Dense(units, kernel_initializer='lecun_uniform') for _ in range(2)]

            def build(self, input_shape):
                self.scale = self.add_weight(shape=(input_shape[-1], 70), initializer='he_normal')
                self.tensor = self.add_weight(shape=(3, 40, 50), initializer=initializers.VarianceScaling(
                    3.0, 'fan_out', 'uniform'))
                self.narrow = self.add_weight(shape=(70, 71), initializer='glorot_uniform')
                self.cut = self.add_weight(shape=(70, 72), initializer=tf.keras.initializers.TruncatedNormal(
                    0.5, 0.1))

            def call(self, x):
                x = self.first(x) + tf.matmul(x, self.scale)[:, :1]
                for dense in self.rest:
                    x = dense(x)
                return x


        class Outer(keras.Model):
            def __init__(self, units=80):
                super().__init__()
                self.inner = Inner(units)
                self.middle = layers.Dense(60)
                self.more = layers.Dense(61)
                self.again = layers.Dense(62)
                self.head = layers.Dense(140, kernel_initializer='zeros', bias_initializer='ones')

            def call(self, x):
                return self.head(self.again(self.more(self.middle(self.inner(x)))))


        def build():
            model = Outer()
            model(tf.zeros((2, 90)))
            return model
        """,
    "added": """
        def build():
            model = keras.Sequential()
            model.add(layers.Input((90,)))
            model.add(layers.Dense(100, kernel_initializer='he_uniform'))
            model.add(layers.Dense(101, activation='relu'))
            model.add(layers.Dense(102, name='hidden', kernel_initializer='orthogonal'))
            model.add(layers.Dense(103))
            return model
        """,
    "afterwards": """
        def fill(layer):
            if isinstance(layer, (layers.Dense, layers.Conv1D)):
                layer.kernel_initializer = initializers.HeUniform()
                if layer.use_bias:
                    layer.bias_initializer = initializers.Ones()


        def make():
            model = keras.Sequential([layers.Dense(100), layers.Dense(101, use_bias=False)])
            model.add(layers.Dense(102))
            for layer in model._flatten_layers():
                fill(layer)
            model.layers[2].kernel_initializer = initializers.Orthogonal()
            return model


        class Whole(keras.Model):
            def __init__(self):
                super().__init__()
                self.body = make()
                self.middle = layers.Dense(103, kernel_initializer='zeros')
                self.rest = [layers.Dense(104) for _ in range(2)]
                self.head = layers.Dense(105)
                for layer in self._flatten_layers():
                    fill(layer)
                self.head.kernel_initializer = initializers.RandomUniform(-2.0, 3.0)

            def call(self, x):
                x = self.middle(self.body(x))
                for layer in self.rest:
                    x = layer(x)
                return self.head(x)


        def build():
            model = Whole()
            model(tf.zeros((2, 90)))
            return model
        """,
    "afterwards_alone": """
        def fill(layer):
            if isinstance(layer, layers.Conv1D):
                layer.kernel_initializer = initializers.Orthogonal()
            elif isinstance(layer, layers.Dense):
                layer.kernel_initializer = initializers.LecunUniform()


        def make():
            model = keras.Sequential([layers.Conv1D(70, 3), layers.GlobalAveragePooling1D(), layers.Dense(150)])
            for layer in model._flatten_layers():
                fill(layer)
            model.layers[0].bias_initializer = initializers.Ones()
            return model


        def build():
            model = make()
            model(tf.zeros((2, 9, 60)))
            return model
        """,
    "alone": """
        def tower(width):
            inputs = keras.Input((90,))
            x = layers.Dense(width, kernel_initializer='orthogonal')(inputs)
            return keras.Model(inputs, layers.Dense(width + 1)(x))


        def head(width):
            return keras.Sequential([layers.Dense(width), layers.Dense(width + 1)])


        class Whole(keras.Model):
            def __init__(self):
                super().__init__()
                self.tower, self.head = tower(100), head(70)

            def call(self, x):
                return self.head(self.tower(x))


        class Two(keras.Model):
            def __init__(self, *parts):
                super().__init__()
                self.a, self.b = parts

            def call(self, x):
                return self.b(self.a(x))


        def build():
            model = Two(tower(100), head(70))
            model(tf.zeros((2, 90)))
            return model
        """,
    "alone_class": """
        class Inner(keras.Model):
            def __init__(self):
                super().__init__()
                self.table = layers.Embedding(62, 50)

            def call(self, x):
                return self.table(x)


        class Whole(keras.Model):
            def __init__(self):
                super().__init__()
                self.inner = Inner()

            def call(self, x):
                return self.inner(x)


        def build():
            model = Inner()
            model(tf.zeros((2, 9), dtype=tf.int32))
            return model
        """,
    "attention": """
        def build():
            inputs = keras.Input((7, 60))
            x = layers.MultiHeadAttention(4, 15)(inputs, inputs)
            x = layers.Dense(61, kernel_initializer='he_normal')(x)
            x = layers.MultiHeadAttention(3, 11, value_dim=13, output_shape=62, kernel_initializer='he_uniform')(x, x)
            return keras.Model(inputs, x)
        """,
}
UNBOUNDED = {"dense_normal", "dense_random_normal", "tf_object", "scaled_normal", "embedding_normal", "layer_norm",
             "lstm_he", "einsum_normal", "gain"}  # their greatest value says nothing


def sources():
    for name, (shape, layer) in LAYERS.items():
        dtype = ", dtype='int32'" if "Embedding" in layer else ""
        yield name, (f"{HEAD}def build():\n    inputs = keras.Input({shape}{dtype})\n    x = {layer}(inputs)\n"
                     "    return keras.Model(inputs, x)\n")
    for name, text in FILES.items():
        yield name, HEAD + textwrap.dedent(text).lstrip()
