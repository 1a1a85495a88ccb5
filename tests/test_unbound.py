"""A port reads no name that nothing binds: rules write what is there, and what slips through is told."""

from __future__ import annotations

from pathlib import Path

from port import unbound
from port.result import Result
from port.translate import translate, translate_together

SOURCE = """import keras


class A:
    def call(self, x, training=None):
        return f(x, training=training) + late


def g():
    return nothing
"""
PORT = """import torch


class A:
    def forward(self, x):
        if x:
            return f(
                x, training=training) + late
        return [x for x in range(3)]


def g():
    return nothing
"""


def ported(text: str) -> Result:
    return translate("import tensorflow as tf\n\n\n" + text, "tf2torch")


def test_a_name_that_only_the_port_misses_is_told_where_it_is_read() -> None:
    found = unbound.told(Result(SOURCE, PORT))
    (finding,) = found.findings
    assert (finding.code, finding.line) == ("P206", 6) and "`training` in `forward`" in finding.message
    before, comment, after = found.text.partition(f"            # port: P206 {finding.message}\n")
    assert comment and before + after == PORT and after.startswith("            return f(")


def test_each_function_that_reads_such_a_name_is_told() -> None:
    """Methods of several classes have one name."""
    twice = PORT + PORT.partition("\n\n\n")[2].partition("\n\n\ndef g")[0].replace("class A", "\n\nclass B")
    assert [f.message.partition(",")[0] for f in unbound.told(Result(SOURCE, twice)).findings].count(
        "the port reads `training` in `forward`") == 2


def test_names_that_may_come_from_elsewhere_are_not_told() -> None:
    for port in ("from a import *\nx = f(y)\n", "def f():\n    global y\n    y = 1\n\n\nx = y + __name__\n",
                 "class A:\n    n = 3\n    m = [k for k in range(n)]\n", SOURCE):
        assert unbound.told(Result("x = 1\n" if port is not SOURCE else SOURCE, port)).findings == ()


def test_a_device_is_that_of_a_tensor_of_this_function() -> None:
    found = ported("def size(tensor):\n    return tf.shape(tensor)[0]\n\n\nclass A(tf.keras.layers.Layer):\n"
                   "    def call(self, left):\n        return left - tf.eye(size(left))\n")
    assert "torch.eye(size(left), device=left.device)" in found.text and not found.findings


def test_a_branch_of_cond_with_a_default() -> None:
    found = ported("def f(x, parts):\n    for i, part in enumerate(parts):\n"
                   "        x = tf.cond(tf.reduce_sum(x) > i, lambda c=part: x * c, lambda: x)\n    return x\n")
    assert "x = x * part if torch.sum(x) > i else x" in found.text


def test_exceptions_of_tensorflow() -> None:
    found = ported("def f(x):\n    try:\n        return tf.reshape(x, (2, -1))\n"
                   "    except (ValueError, tf.errors.InvalidArgumentError) as e:\n        raise ValueError() from e\n")
    assert "except (ValueError, RuntimeError) as e:" in found.text and [f.code for f in found.findings] == ["P103"]


def test_a_scope_that_is_used() -> None:
    text = "def f(x, y):\n    with tf.name_scope('a') as scope:\n        return {}\n"
    assert "return torch.add(x, y)" in ported(text.format("tf.add(x, y, name=scope)")).text
    kept = ported(text.format("tf.add(x, y), scope"))
    assert [f.code for f in kept.findings] == ["P203"] and "as scope" in kept.text


def test_training_where_something_stays() -> None:
    found = ported("class A(tf.keras.layers.Layer):\n    def call(self, x, training=None):\n"
                   "        return tf.keras.backend.unheard(x, training=training)\n")
    assert "        training = self.training\n" in found.text


def test_hints_of_a_function_that_stays_are_imported_for_its_head() -> None:
    found = ported("def f() -> tf.keras.Model:\n    x = inputs = tf.keras.Input((3,))\n"
                   "    return tf.keras.Model(inputs, tf.keras.layers.Unheard()(x))\n")
    assert found.text.startswith("import tensorflow as tf\n") and "def f() -> tf.keras.Model:\n" in found.text


def test_a_class_whose_base_another_file_fills_initialises_its_own_layers(tmp_path: Path) -> None:
    texts = {"base.py": "import keras\n\n\nclass Base(keras.layers.Layer):\n    def __init__(self, n):\n"
                        "        super().__init__()\n        self.first = keras.layers.Dense(n)\n",
             "main.py": "import keras\nfrom base import Base\n\n\nclass Plain(Base):\n    def __init__(self):\n"
                        "        super().__init__(3)\n\n\nclass Net(Base):\n    def __init__(self):\n"
                        "        super().__init__(3)\n        self.dense = keras.layers.Dense(4)\n\n"
                        "    def call(self, x):\n        return self.dense(self.first(x))\n"}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    found = translate_together({str(tmp_path / n): t for n, t in texts.items()}, "tf2torch")
    main = found[str(tmp_path / "main.py")].text
    assert main.count("apply(") == 1 and "        self.dense.apply(init_weights)\n" in main


def test_a_name_of_the_file_that_pytorch_uses_too() -> None:
    local = ported("def f(x):\n    n, F = x.shape\n    return tf.nn.relu(x)[:, :F]\n\n\n"
                   "def g(x):\n    return tf.nn.relu(x)\n")
    assert "return nn.functional.relu(x)[:, :F]" in local.text
    assert "    return F.relu(x)\n" in local.text
    assert local.text.startswith("import torch.nn.functional as F\nfrom torch import nn\n")
    own = ported("def F(x):\n    return tf.nn.relu(x)\n\n\ndef g(x):\n    return F(tf.nn.elu(x))\n")
    assert "return F(nn.functional.elu(x))" in own.text and "as F" not in own.text


def test_a_module_of_the_file_that_is_called_nn(tmp_path: Path) -> None:
    texts = {"pack/__init__.py": "", "pack/nn.py":
             "import tensorflow as tf\n\n\nclass Twice(tf.keras.layers.Layer):\n    def call(self, x):\n"
             "        return tf.nn.relu(2 * x)\n",
             "pack/net.py": "import tensorflow as tf\n\nfrom pack import nn\n\n\nclass Net(tf.keras.Model):\n"
             "    def __init__(self):\n        super().__init__()\n        self.dense = tf.keras.layers.Dense(3)\n"
             "        self.twice = nn.Twice()\n\n    def call(self, x):\n"
             "        return self.twice(tf.nn.elu(self.dense(x)))\n"}
    (tmp_path / "pack").mkdir()
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    found = translate_together({str(tmp_path / n): t for n, t in texts.items()}, "tf2torch")
    net = found[str(tmp_path / "pack/net.py")].text
    assert "class Net(torch.nn.Module):" in net and "self.dense = torch.nn.LazyLinear(3)" in net
    assert "self.twice = nn.Twice()" in net and "from pack import nn\n" in net and "from torch import nn" not in net
    assert "isinstance(module, torch.nn.Linear)" in net and "from torch import nn" in found[
        str(tmp_path / "pack/nn.py")].text
    inside = ported("def f(x, nn):\n    return nn(tf.keras.layers.ReLU()(x))\n\n\nclass Net(tf.keras.layers.Layer):\n"
                    "    def call(self, x):\n        return f(x, len)\n")
    assert "class Net(nn.Module):" in inside.text and "from torch import nn\n" in inside.text


def test_an_alias_that_is_tried_stays_where_something_needs_it() -> None:
    found = ported("try:\n    Wrapper = tf.keras.layers.Wrapper\nexcept AttributeError:\n"
                   "    Wrapper = tf.keras.engine.Wrapper\n\n\n"
                   "class Multi(Wrapper):\n    def call(self, x):\n        return self.layer(x)\n")
    assert found.text.startswith("from tensorflow.keras.layers import Wrapper\n") and "try" not in found.text
    assert "class Multi(Wrapper):" in found.text
    assert not any("nothing there binds" in f.message for f in found.findings)


def test_layers_of_a_package_that_is_not_read() -> None:
    text = ("import functools\nfrom keras_pos import Trig\n\n\nclass A(tf.keras.layers.Layer):\n"
            "    def call(self, x):\n        return ")
    kept = ported(text + "tf.nn.relu(Trig('add')(x))\n")
    assert [f.code for f in kept.findings] == ["P201"] and "`Trig` comes from" in kept.findings[0].message
    assert not ported(text + "functools.partial(tf.add, 3)(x)\n").findings
