"""`try: from tensorflow... import x / except ImportError: ...`: what is still needed keeps its fallback."""

from __future__ import annotations

from port.translate import translate

FALLBACK = '''
try:
    from tensorflow.python.ops.rnn_cell_impl import _Linear
except ImportError:
    _Linear = object
'''


def port(text: str, direction: str = "tf2torch") -> str:
    return translate(text.lstrip("\n"), direction).text


def test_an_import_that_refused_code_needs_keeps_its_fallback() -> None:
    text = port("import tensorflow as tf\n" + FALLBACK
                + "\n\nclass Cell(_Linear):\n    def go(self, x):\n        return tf.unheard_of(x)\n")
    assert FALLBACK.strip() in text


def test_imports_that_are_not_needed_any_more_go_with_their_fallback() -> None:
    text = port('''
try:
    import tensorflow as tf
except ImportError:
    tf = None


def f(x):
    return tf.abs(x)
''')
    assert text.startswith("import torch\n") and "try" not in text and "tensorflow" not in text


def test_a_try_without_imports_stays() -> None:
    text = port('''
import tensorflow as tf

try:
    for name in ("a", "b"):
        print(name)
except OSError:
    pass


def f(x):
    return tf.abs(x)
''')
    assert "print(name)" in text and "except OSError" in text


NORMED = '''
import torch
from torch import nn
try:
    from torch.nn.utils.parametrizations import unheard_norm
except ImportError:
    from torch.nn.utils import unheard_norm


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.dense = WRAP(nn.Linear(3, 4))

    def forward(self, x):
        return self.dense(x)
'''


def test_torch_imports_with_a_fallback_stay_with_the_code_that_needs_them() -> None:
    text = port(NORMED.replace("WRAP", "unheard_norm"), "torch2tf")
    assert "P201" in text and "try:\n    from torch.nn.utils.parametrizations import unheard_norm\nexcept" in text
    text = port(NORMED.replace("WRAP", ""), "torch2tf")
    assert "torch" not in text and "try" not in text and "layers.Dense(4" in text


def test_names_that_a_fallback_brings_for_other_files_stay() -> None:
    """Nothing in this file reads them: who imports them from here had failed, without a finding."""
    text = """try:
    from .fb import download, load
except ImportError:
    from torch.hub import download_url_to_file as download, load_state_dict_from_url as load

__all__ = ["download", "load"]
"""
    assert translate(text, "torch2tf").text == text


def test_an_alias_that_refused_code_needs_is_imported() -> None:
    """`L = tf.keras.layers`: each use is resolved, but those of code that stays in Keras need it."""
    text = """import tensorflow as tf
L = tf.keras.layers


class A(L.Wrapper):
    pass


def f(x):
    return L.Unheard(3)(x)


def g(x):
    return L.Dense(3)(x)
"""
    result = translate(text, "tf2torch").text
    assert result.startswith("from torch import nn\nfrom tensorflow.keras import layers as L\n")
    assert result.count("import layers as L") == 2 and "L = tf" not in result  # and inside of f


def test_what_a_file_defines_where_torch_has_no_such_function_stays() -> None:
    """timm's `_assert`: the definition was gone, and with it the import of every file that takes it from there."""
    text = translate("""import torch
try:
    from torch import _assert
except ImportError:
    def _assert(condition: bool, message: str):
        assert condition, message


def f(x: torch.Tensor):
    _assert(x.ndim == 4, "four axes")
    return torch.relu(x)
""", "torch2tf").text
    assert text == """import tensorflow as tf


def _assert(condition: bool, message: str):
    assert condition, message


def f(x: tf.Tensor):
    _assert(len(x.shape) == 4, "four axes")
    return tf.nn.relu(x)
"""
