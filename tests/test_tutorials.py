"""How TensorFlow's tutorials write models: what they use that other code does not."""

from __future__ import annotations

import re

from port.result import Result
from port.translate import translate

HEAD = "import keras\nimport tensorflow as tf\nfrom keras import layers\n\n\n"


def port(text: str) -> Result:
    return translate(HEAD + text, "tf2torch")


def codes(result: Result) -> set[str]:
    return {f.code for f in result.findings} - {"P001", "P101", "P102", "P103"}


PASSED_ON = """class Base(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__()
        self.mha = layers.MultiHeadAttention(**kwargs)


class Attention(Base):
    def call(self, x):
        return self.mha(query=x, value=x)


def build():
    inputs = keras.Input((5, 8))
    x = Attention(num_heads=2, key_dim=8)(inputs)
    x = Attention(num_heads=2, key_dim=8, dropout=0.1)(x)
    return keras.Model(inputs, x)
"""


def test_keywords_that_are_only_passed_on_are_those_that_calls_give() -> None:
    result = port(PASSED_ON)
    assert not codes(result)
    assert "def __init__(self, num_heads, key_dim, dropout=0.0):" in result.text
    assert "query_features=key_dim)" in result.text
    assert "self.attention2 = Attention(num_heads=2, key_dim=8, dropout=0.1)" in result.text


def test_keywords_whose_calls_are_not_seen_stay() -> None:
    assert "P202" in codes(port(PASSED_ON.replace("key_dim=8, dropout=0.1", "**SETTINGS")))


FUNCTION = """def conv_block(x, filters, **kwargs):
    return layers.Conv2D(filters, 3, **kwargs)(x)


def build():
    inputs = keras.Input((32, 32, 3))
    x = conv_block(inputs, 8, strides=2)
    return keras.Model(inputs, conv_block(x, 8, use_bias=False))
"""


def test_keywords_of_a_block_have_the_defaults_of_its_layer() -> None:
    result = port(FUNCTION)
    assert not codes(result)
    assert "def __init__(self, in_channels, filters, strides=1, use_bias=True):" in result.text
    assert "nn.Conv2d(in_channels, filters, 3, stride=strides, bias=use_bias)" in result.text


UNET = """def down(filters, size, norm=True):
    result = keras.Sequential()
    result.add(layers.Conv2D(filters, size, strides=2, padding="same", use_bias=False))
    if norm:
        result.add(layers.BatchNormalization())
    return result


def generator():
    downs = [down(8, 4, norm=False), down(16, 4), down(16, 4)]
    inputs = keras.Input((64, 64, 3))
    x = inputs
    skips = []
    for layer in downs:
        x = layer(x)
        skips.append(x)
    skips = reversed(skips[:-1])
    last = layers.Conv2D(3, 1)
    return keras.Model(inputs, last(x))


def discriminator():
    inputs = keras.Input((64, 64, 3))
    x = down(8, 4)(inputs)
    return keras.Model(inputs, layers.Conv2D(3, 1)(x))
"""


def test_models_in_a_list_are_applied_in_a_loop() -> None:
    result = port(UNET)
    assert not codes(result)
    assert "self.downs = nn.ModuleList([down(8, 4, norm=False), down(16, 4), down(16, 4)])" in result.text
    assert "self.last = nn.Conv2d(16, 3, 1)" in result.text
    assert "        for layer in self.downs:\n            x = layer(x)\n            skips.append(x)\n" in result.text


def test_a_model_that_a_function_makes_is_applied_where_it_is_made() -> None:
    text = port(UNET).text
    assert "self.down = down(8, 4)\n" in text
    assert "x = self.down(inputs)\n" in text
    assert "self.conv = nn.Conv2d(8, 3, 1)" in text
    assert "LazyConv2dSame(filters, size" in text  # widths differ between the calls


SHAPES = """class Rows(layers.Layer):
    def call(self, images):
        shape = CALL
        return tf.reshape(images, (-1, shape[1] * shape[2], shape[3]))


def build():
    inputs = keras.Input((8, 6, 3))
    return keras.Model(inputs, Rows()(layers.Conv2D(4, 3)(inputs)))
"""


def test_a_variable_holds_the_sizes_of_an_image_in_the_order_of_the_source() -> None:
    for call in ("tf.shape(images)", "keras.ops.shape(images)", "images.shape"):
        result = port(SHAPES.replace("CALL", call))
        assert not codes(result)
        assert "shape = images.permute(0, 2, 3, 1).shape\n" in result.text
        assert "(-1, shape[1] * shape[2], shape[3])" in result.text


def test_arithmetic_with_a_whole_shape_is_told() -> None:
    assert "P206" in codes(port(SHAPES.replace("CALL", "tf.shape(images) / 2")))
    assert "shape = [n * 2 for n in images." in port(SHAPES.replace("CALL", "tf.shape(images) * 2")).text


def test_sizes_that_a_layer_is_built_with_may_be_part_of_a_shape() -> None:
    result = port("""class Scale(layers.Layer):
    def build(self, input_shape):
        self.scale = self.add_weight(shape=input_shape[-1:], initializer="ones")
        return super().build(input_shape)

    def call(self, x):
        mean, variance = tf.nn.moments(x, axes=[1, 2], keepdims=True)
        return self.scale * x


def build():
    inputs = keras.Input((8, 6, 3))
    return keras.Model(inputs, Scale()(layers.Conv2D(4, 3)(inputs)))
""")
    assert not codes(result)
    assert "self.scale = nn.Parameter(torch.ones((in_channels,)))" in result.text
    assert "self.scale[:, None, None] * x" in result.text


def test_what_only_serves_keras_goes() -> None:
    result = port("""class Noise(layers.Layer):
    def __init__(self):
        super().__init__()
        self.generator = keras.random.SeedGenerator(1337)

    def call(self, x):
        return x + keras.random.normal(keras.ops.shape(x), seed=self.generator)


def build():
    model = keras.Sequential()
    model.add(layers.Dense(4, input_shape=(3,)))
    assert model.output_shape == (None, 4)
    return model


net = build()
net.summary()
""")
    assert not codes(result)
    assert "generator" not in result.text
    assert "assert" not in result.text
    assert result.text.endswith("print(net)\n")


def test_a_seed_generator_that_is_read_otherwise_is_refused() -> None:
    assert "P203" in codes(port("seed = keras.random.SeedGenerator(1)\nprint(seed.next())\n"))


def test_modules_of_a_loop_keep_their_settings() -> None:
    result = port("""def build(sizes):
    model = keras.Sequential()
    for s in sizes:
        model.add(layers.Rescaling(1.0 / s))
        model.add(layers.MaxPool2D(s, 1, "same"))
    model.add(layers.Conv2D(3, 3))
    return model
""")
    assert not codes(result)
    assert "Lambda(lambda x, s=s: (x * (1.0 / s)))" in result.text
    assert "Lambda(lambda x, s=s: max_pool2d_same(x, s, 1))" in result.text


def test_patches_of_images() -> None:
    for call in ("tf.image.extract_patches(x, sizes=[1, p, p, 1], strides=[1, p, p, 1], rates=[1, 1, 1, 1], "
                 'padding="VALID")', "keras.ops.image.extract_patches(x, p)"):
        result = port("p = 4\n\n\ndef build():\n    x = keras.Input((8, 8, 3))\n"
                      f"    return keras.Model(x, layers.Dense(5)({call}))\n")
        assert not codes(result)
        assert "x.unfold(1, p, p).unfold(2, p, p).permute(0, 1, 2, 4, 5, 3).flatten(3)" in re.sub(
            r"\s*\n\s*", "", result.text)
        assert "nn.Linear(48, 5)" in result.text or "nn.Linear(p * p * 3, 5)" in result.text, result.text


MASKED = """class Positions(layers.Layer):
    def __init__(self):
        super().__init__()
        self.embedding = layers.Embedding(11, 8, mask_zero=True)

    def compute_mask(self, *args, **kwargs):
        return self.embedding.compute_mask(*args, **kwargs)

    def call(self, x):
        return self.embedding(x) * 2.0


class Block(layers.Layer):
    def __init__(self):
        super().__init__()
        self.mha = layers.MultiHeadAttention(2, 4)

    def call(self, x):
        BODY


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.positions = Positions()
        self.blocks = [Block() for _ in range(3)]

    def call(self, x):
        x = self.positions(x)
        LOOP
        return x
"""
LOOP = "for i in range(3):\n            x = self.blocks[i](x) + 0.0"


def masked(block: str, loop: str) -> Result:
    return port(MASKED.replace("        BODY", block).replace("LOOP", loop))


def test_masks_go_into_the_users_layers_as_arguments() -> None:
    result = masked("        return self.mha(query=x, value=x)", "x = self.blocks[0](x)")
    assert not codes(result)
    assert "def forward(self, x, mask):" in result.text
    assert "attention_mask=mask[:, :, None] & mask[:, None]" in result.text
    assert "mask = x != 0\n        x = self.positions(x)\n" in result.text
    assert "x = self.blocks[0](x, mask=mask)\n" in result.text


def test_attention_takes_the_mask_from_its_tensor() -> None:
    twice = "        self.mha(query=x, value=x)\n        return self.mha(query=x, value=x)"
    again = masked(twice, "x = self.blocks[0](x)")
    assert again.text.count("attention_mask=mask[") == 1
    loop = masked("        return self.mha(query=x, value=x)", LOOP)
    assert not codes(loop)
    assert "x = self.blocks[i](x, mask=mask if i == 0 else None) + 0.0" in loop.text
    assert "attention_mask=None if mask is None else mask[:, :, None] & mask[:, None]" in re.sub(
        r"\s*\n\s*", "", loop.text)
    listed = masked("        return self.mha(query=x, value=x)", LOOP.replace("i in range(3)", "block in self.blocks")
                    .replace("self.blocks[i]", "block"))
    assert "block(x, mask=mask if block is self.blocks[0] else None)" in listed.text


def test_arrays_become_tensors() -> None:
    result = port("import numpy as np\n\n\ndef table(n):\n    angles = np.arange(n)\n    both = np.concatenate("
                  "[np.sin(angles), np.cos(angles)], axis=-1)\n    return tf.cast(both, dtype=tf.float32)\n")
    assert "torch.as_tensor(both, dtype=torch.float32)" in result.text


GENERATOR = """class Text(keras.Model):
    def __init__(self):
        super().__init__()
        self.embedding = layers.Embedding(11, 4)
        self.gru = layers.GRU(6, return_sequences=True, return_state=True)

    def call(self, x, states=None):
        x = self.embedding(x)
        if states is None:
            states = self.gru.get_initial_state(x.shape[0])
        x, states = self.gru(x, initial_state=states)
        return x, states
"""


def test_the_state_that_a_recurrent_layer_begins_with() -> None:
    result = port(GENERATOR)
    assert not codes(result)
    assert "states = self.gru.weight_hh_l0.new_zeros(x.shape[0], self.gru.hidden_size)\n" in result.text
    taken = port(GENERATOR.replace("(x.shape[0])", "(x.shape[0])[0]"))
    assert "states = self.gru.weight_hh_l0.new_zeros(x.shape[0], self.gru.hidden_size)\n" in taken.text
    listed = GENERATOR.replace("return x, states", "return x, self.gru.get_initial_state(x.shape[0])")
    assert "P206" in codes(port(listed))
    begin = "        x, states = self.gru(x, initial_state="
    for taken_apart in ("first = states[0]", "first, = states", "first = [s for s in states][0]"):
        assert "P206" in codes(port(GENERATOR.replace(begin, f"        {taken_apart}\n{begin}")))


def test_variables_that_an_initialiser_draws_are_weights() -> None:
    result = port("""class Linear(layers.Layer):
    def __init__(self, units, width):
        super().__init__()
        w_init = tf.random_normal_initializer()
        self.w = tf.Variable(initial_value=w_init(shape=(width, units), dtype="float32"), trainable=True)
        self.b = tf.Variable(initial_value=tf.zeros_initializer()(shape=(units,)), trainable=True)

    def call(self, x):
        return tf.matmul(x, self.w) + self.b
""")
    assert not codes(result)
    assert "self.w = nn.Parameter(nn.init.normal_(torch.empty((width, units)), std=0.05))\n" in result.text
    assert "self.b = nn.Parameter(torch.zeros((units,)))\n" in result.text
    assert "w_init" not in result.text


def test_a_dict_of_settings_is_spread() -> None:
    text = ("def build():\n    settings = {\"activation\": \"relu\", \"padding\": \"same\"}\n"
            "    x = inputs = keras.Input((8, 8, 3))\n    x = layers.Conv2D(4, 5, **settings)(x)\n"
            "    return keras.Model(inputs, layers.Conv2D(2, 3, **settings)(x))\n")
    result = port(text)
    assert not codes(result)
    assert "self.conv1 = nn.Conv2d(3, 4, 5, padding='same')" in result.text
    assert "settings" not in result.text
    changed = text.replace("    x = inputs", "    settings[\"padding\"] = \"valid\"\n    x = inputs")
    assert "P202" in codes(port(changed))
