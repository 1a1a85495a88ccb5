"""`try: from tensorflow... import x / except ImportError: ...`: what is still needed keeps its fallback."""

from __future__ import annotations

from port.translate import translate

FALLBACK = '''
try:
    from tensorflow.python.ops.rnn_cell_impl import _Linear
except ImportError:
    _Linear = object
'''


def port(text: str) -> str:
    return translate(text.lstrip("\n"), "tf2torch").text


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
