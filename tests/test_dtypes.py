"""Dtypes as TensorFlow takes them: Python's types and NumPy's names are no dtypes of PyTorch, or other ones."""

from __future__ import annotations

import pytest

from port.translate import translate

GIVEN = {"np.float32": "torch.float32", "np.float64": "torch.float64", "np.int64": "torch.int64",
         "np.bool_": "torch.bool", "np.half": "torch.float16", "np.double": "torch.float64", "float": "torch.float32",
         "bool": "torch.bool", "tf.float16": "torch.float16", "'float32'": "torch.float32", "'double'": "torch.float64"}


@pytest.mark.parametrize(("given", "wanted"), GIVEN.items(), ids=GIVEN)
def test_written(given: str, wanted: str) -> None:
    made = translate("import numpy as np\nimport tensorflow as tf\n\n\ndef f(x):\n    y = tf.exp(x)\n"
                     f"    return tf.cast(y, {given}), tf.zeros((2,), dtype={given})\n", "tf2torch")
    assert not made.findings
    assert f"return y.to({wanted}), torch.zeros((2,), dtype={wanted})" in made.text


def test_what_has_no_counterpart_is_refused() -> None:
    made = translate("import numpy as np\nimport tensorflow as tf\n\n\ndef f(x):\n"
                     "    return tf.cast(x, np.longdouble)\n", "tf2torch")
    assert [f.code for f in made.findings] == ["P203"]


@pytest.mark.parametrize(("given", "wanted"), [("float", "float64"), ("int", "int64"), ("bool", "bool")])
def test_pythons_types_are_wide_in_pytorch(given: str, wanted: str) -> None:
    """TensorFlow takes `float` for float32."""
    made = translate("import torch\n\n\ndef f(x: torch.Tensor):\n"
                     f"    return x.to({given}), x.to(dtype={given}), torch.zeros(2, dtype={given})\n", "torch2tf")
    assert not made.findings
    cast = f"tf.cast(x, tf.{wanted})"
    assert f"return {cast}, {cast}, tf.zeros([2], tf.{wanted})" in made.text


def test_a_parameter_of_that_name_is_no_type() -> None:
    made = translate("import torch\n\n\ndef f(x: torch.Tensor, float=torch.float16):\n    return x.to(float)\n",
                     "torch2tf")
    assert "return tf.cast(x, float)" in made.text
