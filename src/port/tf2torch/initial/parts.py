"""Which weights the modules of a file hold, and the statements that give them Keras' initial values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from port.tf2torch.initial.initializers import Spec

ZEROS, GLOROT = Spec("zeros"), Spec("glorot_uniform")


@dataclass(eq=False)
class Site:
    """A layer of the source that the output makes."""

    job: Any
    specs: dict[str, Spec]  # by the Keras parameter
    flags: tuple[str, ...] = ()  # 'own': a module of PyTorch read back; 'forget': its forget gate starts open


@dataclass
class Part:
    """The weights of one module type, at one site; `path` leads to it inside a helper."""

    kind: str  # the type, as isinstance takes it; 'depthwise nn.Conv2d' for those of the grouped kind
    family: str
    site: Site
    specs: dict[str, Spec]  # by role: kernel, bias, recurrent, ...
    bias: bool | None = True  # False: it has none, None: that depends on a setting
    path: str = ""
    lazy: bool = False
    flags: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        return not any(s.why or s.local for s in self.specs.values())

    @property
    def key(self) -> tuple[Any, ...]:
        return (tuple(self.specs.items()), self.flags)


# what a constructor leaves behind without being told: these need a branch only where the source deviates
OWN = {"norm": {"gamma": Spec("ones"), "beta": ZEROS}, "prelu": {"alpha": ZEROS},
       "own": {"kernel": GLOROT, "bias": ZEROS},
       "heads": {"kernel": GLOROT, "bias": ZEROS},
       "cell": {"kernel": GLOROT, "recurrent": Spec("orthogonal"), "bias": ZEROS},
       "conv_cell": {"kernel": GLOROT, "recurrent": Spec("orthogonal"), "bias": ZEROS}}
# helpers that hold other modules: the branch of those sees them first
INNER = {"MultiHeadAttention": "nn.Linear", "GroupQueryAttention": "nn.Linear",
         "ConvLSTM1dCell": "nn.Conv1d", "ConvLSTM2dCell": "nn.Conv2d"}
KINDS = {"depthwise": "", "simple": "nn.Linear", "norm": "nn.LayerNorm AxisLayerNorm nn.GroupNorm",
         "prelu": "nn.PReLU PReLU", "embedding": "nn.Embedding", "rnn": "nn.LSTM nn.GRU nn.RNN",
         "cell": "LSTMCell GRUCell SimpleRNNCell", "mha": "nn.MultiheadAttention",
         "heads": "MultiHeadAttention GroupQueryAttention", "own": "EinsumDense",
         "conv_cell": "ConvLSTM1dCell ConvLSTM2dCell"}
ORDER = list(KINDS)  # of the branches
FAMILIES = {kind: family for family, kinds in KINDS.items() for kind in kinds.split()}


def family_of(kind: str) -> str:
    if re.fullmatch(r"nn\.Conv(Transpose)?[123]d", kind):
        return "simple"
    return "norm" if re.fullmatch(r"nn\.BatchNorm[123]d", kind) else FAMILIES.get(kind, "")


def parts_of(site: Site, callee: str, ctor: str) -> list[Part]:
    """The weights that `callee(...)` makes for the layer."""
    chosen = re.match(r"\(((?:Lazy)?Conv[123]dSame) if ", callee)  # or nn.Conv2d, as a setting says
    callee = chosen[1] if chosen else callee
    lazy = "Lazy" in callee
    kind = re.sub(r"^(Conv[123]d)Same$", r"nn.\1", callee.replace("Lazy", ""))
    specs = {k.removesuffix("_initializer"): v for k, v in site.specs.items()}
    bias: bool | None = site.job.literal("use_bias", None) if "use_bias" in _parameters(site) else True
    separable = re.fullmatch(r"Separable(Conv[12]d)", kind)
    if separable:
        conv = "nn." + separable[1]
        point = {"kernel": specs["pointwise"], "bias": specs["bias"]}
        flags = _multiplied(site, specs["depthwise"])
        deep = {"kernel": specs["depthwise"], "bias": ZEROS}
        return [Part(f"depthwise {conv}", "depthwise", site, deep, False, ".depthwise", flags=flags),
                Part(conv, "simple", site, point, bias, ".pointwise")]
    family = family_of(kind)
    if not family or not specs:
        return []
    if "depthwise" in specs:
        own = {"kernel": specs["depthwise"], "bias": specs["bias"]}
        return [Part(f"depthwise {kind}", "depthwise", site, own, bias, lazy=lazy,
                     flags=_multiplied(site, specs["depthwise"]))]
    if family == "norm":
        both = site.job.literal("center", True) is True and site.job.literal("scale", True) is True
        bias = True if both else None
    flags = site.flags
    if "unit_forget_bias" in _parameters(site) and "LSTM" in kind:
        flags = ("forget",) if site.job.literal("unit_forget_bias", None) is True else ()
    if "bidirectional=True" in ctor.replace(" ", ""):
        flags += ("both",)
    return [Part(kind, family, site, specs, bias, lazy=lazy, flags=flags)]


def _parameters(site: Site) -> set[str]:
    return {p.name for p in site.job.bound.signature.params}


def _multiplied(site: Site, spec: Spec) -> tuple[str, ...]:
    """Keras counts a depthwise kernel as (k, k, C, M), PyTorch as (C * M, 1, k, k): equal sums for M = 1."""
    same = spec.name in ("glorot_uniform", "glorot_normal") or (
        spec.name == "variance_scaling" and spec.arg("mode") in ("'fan_avg'", '"fan_avg"'))
    return () if not spec.shaped or (same and site.job.literal("depth_multiplier", 1) == 1) else ("view",)


def default_specs(part: Part) -> dict[str, Spec]:
    """Those of the layer's signature, for a layer whose own are not understood."""
    plain = {"bias": ZEROS, "beta": ZEROS, "alpha": ZEROS, "gamma": Spec("ones"),
             "recurrent": Spec("orthogonal"), "embeddings": Spec("random_uniform")}
    return {role: plain.get(role, GLOROT) for role in part.specs}
