"""`x.dtype == "float16"`: PyTorch's dtypes equal no string, so the branch was never taken, without a finding."""

from __future__ import annotations

import pytest

from port.translate import translate

LAYER = """import tensorflow as tf
from tensorflow.keras import backend as K
from tensorflow.keras import layers


class Scale(layers.Layer):
    def call(self, x, y=None):
        kind = K.dtype(x)
        if TEST:
            x = x * 1e-3
        return x
"""


def ported(test: str) -> tuple[str, set[str]]:
    result = translate(LAYER.replace("TEST", test), "tf2torch")
    return next(s for s in result.text.splitlines() if " if " in s).strip(), {f.code for f in result.findings}


@pytest.mark.parametrize(("test", "new"), [
    ("K.dtype(x) == 'float16'", "if x.dtype == torch.float16:"),
    ("x.dtype != 'float16'", "if x.dtype != torch.float16:"),
    ("'float16' == x.dtype.name", "if torch.float16 == x.dtype:"),
    ("kind in ('float16', 'bfloat16')", "if kind in (torch.float16, torch.bfloat16):"),
    ("self.compute_dtype == 'float16'", "if torch.get_default_dtype() == torch.float16:"),
    ("self.dtype not in ['float16']", "if torch.get_default_dtype() not in [torch.float16]:"),
    ("x.dtype == tf.float16", "if x.dtype == torch.float16:"),
])
def test_a_dtype_is_compared_with_dtypes(test: str, new: str) -> None:
    line, codes = ported(test)
    assert line == new and codes <= {"P001", "P103"}


@pytest.mark.parametrize("test", ["y.dtype == 'float16'", "x.dtype == 'string'"])
def test_what_has_no_answer_is_refused(test: str) -> None:
    line, codes = ported(test)
    assert codes & {"P203", "P208"} and line == f"if {test}:"


def test_arrays_keep_their_names() -> None:
    text = "import numpy as np\nimport tensorflow as tf\n\n\ndef load(a):\n    a = np.asarray(a)\n" \
           "    if a.dtype == 'uint8':\n        a = a / 255\n    return tf.constant(a)\n"
    assert "if a.dtype == 'uint8':" in translate(text, "tf2torch").text
