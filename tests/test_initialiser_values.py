"""An initialiser that is made as a value has no tensor yet: a function, or refused; never a call without it."""

from __future__ import annotations

import pytest

from port.translate import translate


@pytest.mark.parametrize("made", ["GlorotUniform()", "HeNormal()"])
def test_an_initialiser_as_a_value_is_refused(made: str) -> None:
    result = translate(f"from keras import initializers\n\n\ndef pick():\n    return initializers.{made}\n", "tf2torch")
    assert [f.code for f in result.findings if f.outcome.needs_person] == ["P203"], result.findings
    assert "nn.init" not in result.text.replace("functools.partial(torch.nn.init", "")


@pytest.mark.parametrize(("made", "call"), [
    ("RandomNormal(mean=0.0, stddev=0.5)", "nn.init.normal_(weight, std=0.5)"), ("Zeros()", "nn.init.zeros_(weight)"),
    ("TruncatedNormal()", "truncated_normal_(weight)")])
def test_an_initialiser_that_counts_no_fans_is_a_function(made: str, call: str) -> None:
    result = translate(f"from keras import initializers\n\n\ndef pick():\n    return initializers.{made}\n", "tf2torch")
    assert not result.findings and f"return lambda weight: {call}" in result.text


@pytest.mark.parametrize("body", ["init = initializers.Zeros()\n    return init((3, 4))",
                                  "return initializers.Zeros()(shape=(3, 4))"])
def test_one_that_is_called_makes_a_tensor_and_is_refused(body: str) -> None:
    result = translate(f"from keras import initializers\n\n\ndef pick():\n    {body}\n", "tf2torch")
    assert [f.code for f in result.findings] == ["P203"] and "lambda" not in result.text
