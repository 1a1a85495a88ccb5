"""An example of a row: its first sample as source, and what the translator writes for it."""

from __future__ import annotations

import textwrap

from port import samplecode
from port.facts import Fact, Kind, tensor
from port.sample import Spec
from port.table import Row
from port.translate import translate


def of(row: Row) -> tuple[str, str] | None:
    """(source, port), each without its imports; None where the row has no sample that stands alone in a line."""
    made = _source(row)
    if made is None or row.none:
        return None
    text, inputs, direction = made
    result = translate(text, direction, params={name: _fact(spec) for name, spec in inputs.items()})
    if not result.changed or any(f.outcome.needs_person for f in result.findings):
        return None
    return _body(text), _body(result.text)


def _source(row: Row) -> tuple[str, dict[str, Spec], str] | None:
    """(text, its tensors, direction) of the first sample."""
    inputs: dict[str, Spec] = {}
    if not row.sample:
        return None
    sample = row.sample[0]
    if row.tf and row.kind == "function" and samplecode.fits(row.tf[0], sample):
        call = samplecode.render(row.tf[0], sample, inputs)
        return samplecode.snippet(row.tf[0].name, call, inputs), inputs, "tf2torch"
    if row.tf and row.kind == "layer":
        given = {k: v for k, v in sample.items() if k not in ("call", "in")}
        shape = str(sample.get("call", ""))
        if not samplecode.fits(row.tf[0], given) or not shape.startswith("f32["):
            return None
        made = samplecode.render(row.tf[0], given, inputs)
        size = shape.partition(",")[2].rstrip("]")
        built = f"    x = keras.Input(({size},))\n    return keras.Model(x, {made}(x))\n"
        return f"import keras\n\n\ndef build():\n{built}", inputs, "tf2torch"
    signature = next((s for s in row.torch if not row.tf and not s.attribute and samplecode.fits(s, sample)), None)
    if signature is None or signature.name.endswith("_"):
        return None
    call = samplecode.render_torch(signature, sample, inputs)
    head = "import torch\nimport torch.nn.functional as F\n\n\n"
    return f"{head}def f({', '.join(inputs)}):\n    return {call}\n", inputs, "torch2tf"


def _fact(spec: Spec) -> Fact:
    return tensor(spec.shape, "float" if spec.floating else spec.dtype).but(kind=Kind.TENSOR)


def _body(text: str) -> str:
    """What `f` holds: of a function that only returns, what it returns; else its lines, or the class that it became."""
    text = "\n".join(line for line in text.splitlines() if not line.startswith(("import ", "from "))).strip("\n")
    _, found, inside = text.partition("def f(")
    if not found:
        return text
    lines = textwrap.dedent(inside.partition("\n")[2]).splitlines()
    return lines[0].removeprefix("return ") if len(lines) == 1 else "\n".join(lines)
