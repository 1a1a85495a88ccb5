"""An initialiser that is made as a value has no tensor yet: it is refused, and never a call without its tensor."""

from __future__ import annotations

import pytest

from port.translate import translate


@pytest.mark.parametrize("made", ["RandomNormal(mean=0.0, stddev=0.5)", "Zeros()", "GlorotUniform()",
                                  "HeNormal()", "TruncatedNormal()"])
def test_an_initialiser_as_a_value_is_refused(made: str) -> None:
    result = translate(f"from keras import initializers\n\n\ndef pick():\n    return initializers.{made}\n", "tf2torch")
    assert [f.code for f in result.findings if f.outcome.needs_person] == ["P203"], result.findings
    assert "nn.init" not in result.text.replace("functools.partial(torch.nn.init", "")
