"""Samples of rows as source text: the call that a sample stands for, and its tensors."""

from __future__ import annotations

import re
from typing import Any

from port import imports
from port import sample as samples
from port.table import Signature

HEADS = {"tf": "import tensorflow as tf", "keras": "import keras", "torch": "import torch"}


def fits(signature: Signature, sample: dict[str, Any]) -> bool:
    """Can the signature be called with what the sample gives?"""
    required = {p.name for p in signature.params if p.default is None and not p.star}
    return required <= sample.keys() <= {p.name for p in signature.params}


def snippet(name: str, call: str, inputs: dict[str, Any]) -> str:
    """A function `f` of the tensors that returns `call`, a call of `name`."""
    module, _, own = name.rpartition(".")
    head = HEADS.get(name.partition(".")[0])
    if module == "helpers":  # as `torch2tf` writes it into a file
        head, call = _helper(own), call.removeprefix("helpers.")
    elif head is None:  # a function of the user's project
        head, call = f"import tensorflow as tf\nfrom {module} import {own}", call.removeprefix(f"{module}.")
    elif re.search(r"\btf\.", call) and head != HEADS["tf"]:
        head = "\n".join(sorted((head, HEADS["tf"])))
    return f"{head}\n\n\ndef f({', '.join(inputs)}):\n    return {call}\n"


def _helper(name: str) -> str:
    """A helper of Keras, below what it needs."""
    found = [imports.helper_source(n, "keras") for n in imports.helper_order([name], "keras")]
    lines = sorted({line for _, needed, _ in found for line in needed}, reverse=True)
    return "\n".join([*lines, "", "", "\n\n".join(text for _, _, text in found).rstrip()])


def render(signature: Signature, sample: dict[str, Any], inputs: dict[str, samples.Spec]) -> str:
    """The call with the values of a sample; its tensors become entries of `inputs`."""
    parts: list[str] = []
    positional = True
    for param in signature.params:
        if param.name not in sample:
            positional = False
            continue
        text = literal(param.name, sample[param.name], inputs)
        if param.star:
            parts.extend(literal(f"{param.name}_{i}", v, inputs) for i, v in enumerate(sample[param.name]))
        elif positional and param.default is None and not param.keyword_only:
            parts.append(text)
        else:
            parts.append(f"{param.name}={text}")
    return f"{signature.name}({', '.join(parts)})"


def render_torch(signature: Signature, sample: dict[str, Any], inputs: dict[str, samples.Spec]) -> str:
    """The same as torch code writes it: `x.view(6, 5)`, `F.pad(input, (1, 2), mode='reflect')`."""
    parts: list[str] = []
    positional = True
    for param in signature.params:
        if param.name not in sample:
            positional = False
            continue
        name = "x" if param.name == "self" else param.name
        if param.star:
            parts += [literal(f"{name}_{i}", v, inputs) for i, v in enumerate(sample[param.name])]
            continue
        text = literal(name, sample[param.name], inputs)
        positional = positional and not param.keyword_only
        parts.append(text if positional and param.default is None else f"{param.name}={text}")
    spelled = re.sub(r"^torch\.nn\.functional\.", "F.", signature.name)
    if signature.method:
        return f"{parts[0]}.{spelled.removeprefix('tensor.')}({', '.join(parts[1:])})"
    return f"{spelled}({', '.join(parts)})"


def literal(name: str, value: Any, inputs: dict[str, samples.Spec]) -> str:
    """Source text of a sample value."""
    if spec := samples.parse(value):
        inputs[name] = spec
        return name
    if isinstance(value, list):
        return f"[{', '.join(literal(f'{name}_{i}', v, inputs) for i, v in enumerate(value))}]"
    if isinstance(value, str) and re.fullmatch(r"(tf|keras|torch)(\.\w+)+", value):
        return value
    return repr(value)
