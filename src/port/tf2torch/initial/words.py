"""The docstring of `init_weights`, from what is in it."""

from __future__ import annotations

from port.tf2torch.initial.lines import Branch
from port.tf2torch.initial.parts import Part, default_specs


def docstring(branches: list[Branch], more: bool) -> str:
    """What the branches do; `more`: some classes differ."""
    rnn = [k for b in branches for k in b.kinds if k in ("nn.LSTM", "nn.RNN")]
    if rnn:
        what = "an LSTM" if "nn.LSTM" in rnn else "a SimpleRNN"
        return f"Initial values as in Keras, which has a single bias in {what}: the second stays zero."
    phrases = _phrases(branches)
    default = all(_is_default(b.part) for b in branches) and not more
    start = "as in Keras" if default else "of the layers"
    text = ", ".join(phrases)
    if not text or len(text) > 80:
        return "Initial values of the layers, as the source asks for them."
    return f"Initial values {start}: {text[0].upper() + text[1:]}."


def _is_default(part: Part) -> bool:
    return part.specs == default_specs(part)


def _phrases(branches: list[Branch]) -> list[str]:
    kernels = [b for b in branches if "kernel" in b.part.specs and b.roles]
    titles = list(dict.fromkeys(b.part.specs["kernel"].title for b in kernels))
    out = [f"{titles[0]} kernels"] if len(titles) == 1 else [
        f"{b.part.specs['kernel'].title} {_noun(b.kinds[0])}" for b in kernels]
    told = [b for b in kernels if "bias" in b.roles and "bias" in b.part.specs]
    biases = list(dict.fromkeys(b.part.specs["bias"].title for b in told))
    out += [f"{' or '.join(biases)} biases"] if biases else []
    for b in branches:
        if b.part.family == "embedding":
            spec = b.part.specs["embeddings"]
            out.append("small uniform embeddings" if spec == default_specs(b.part)["embeddings"] else (
                f"{spec.title} embeddings"))
        elif b.part.family == "norm" and b.roles:
            out.append(f"{b.part.specs['gamma'].title} scales")
    return list(dict.fromkeys(out))


def _noun(kind: str) -> str:
    if kind.startswith("depthwise"):
        return "depthwise kernels"
    if "ConvTranspose" in kind:
        return "transposed convolutions"
    if "Conv" in kind and "LSTM" not in kind:
        return "convolutions"
    if "Attention" in kind:
        return "attention kernels"
    return "dense kernels" if kind == "nn.Linear" else "kernels"
