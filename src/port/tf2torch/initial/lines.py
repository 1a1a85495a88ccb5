"""The statements that give the weights of a module Keras' initial values, family by family."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from port.tf2torch.emit import Emitter
from port.tf2torch.initial.initializers import BY_FANS, Spec, fill
from port.tf2torch.initial.parts import GLOROT, ZEROS, Part

KEPT = "keras_fans_"  # helper: fans of a tensor in Keras' own axis order


@dataclass
class Lines:
    """Statements for a module called `m`, by role."""

    em: Emitter
    m: str
    guard: bool = False  # `if m.bias is not None`
    out: list[str] = field(default_factory=list)

    def forget(self, bias: str, size: str) -> None:
        text = f"nn.init.ones_({bias}.detach()[{size}:2 * {size}])  # forget gate"
        self.out += [f"if {bias} is not None:", "    " + text] if self.guard else [text]

    def put(self, spec: Spec, weight: str, guard: str = "") -> None:
        if weight.endswith("bias") and spec.by_fans:
            self.em.helper(KEPT)
            text = f"{KEPT}({weight}, '{spec.name}')"
        else:
            text = fill(self.em, spec, weight)
        self.out += [f"if {guard} is not None:", "    " + text] if guard else [text]


def impossible(part: Part, role: str) -> str:
    """Why this initialiser has no statement here; '' if it has."""
    spec = part.specs[role]
    if part.family == "own" and role == "kernel" and spec.shaped and spec != GLOROT:
        return "the fans of an einsum kernel depend on its equation"
    if part.family in ("mha", "heads") and spec.name in ("orthogonal", "identity"):
        return "Keras takes the three axes of an attention kernel together"
    if part.family == "depthwise" and spec.name in ("orthogonal", "identity"):
        return "Keras takes the axes of a depthwise kernel in another order"
    vector = part.family in ("prelu", "norm") or role == "bias"
    if vector and spec.shaped and not (role == "bias" and spec.name in BY_FANS):
        return "it needs a matrix"
    if spec.name == "identity" and (spec.args or part.kind not in ("nn.Linear", "nn.Embedding")):
        return "it needs a matrix"
    return ""


def lines(em: Emitter, part: Part, m: str, roles: set[str], guard: bool) -> list[str]:
    """Statements that fill the weights of these roles."""
    made = Lines(em, m, guard)
    if part.family == "rnn" and m == "module":
        return _rnn(em, part)
    getattr(_Families, part.family)(made, part, roles)
    return made.out


class _Families:
    """One function per family: which tensor a role is."""

    @staticmethod
    def simple(to: Lines, part: Part, roles: set[str]) -> None:
        m = to.m
        if "kernel" in roles:
            to.put(part.specs["kernel"], f"{m}.weight")
        if "bias" in roles and "bias" in part.specs:
            to.put(part.specs["bias"], f"{m}.bias", f"{m}.bias" if to.guard else "")

    own = simple

    @staticmethod
    def depthwise(to: Lines, part: Part, roles: set[str]) -> None:
        m = to.m
        view = f".view(-1, {m}.groups, *{m}.kernel_size)" if "view" in part.flags else ""
        if "kernel" in roles:
            to.put(part.specs["kernel"], f"{m}.weight{view}")
        if "bias" in roles and "bias" in part.specs:
            to.put(part.specs["bias"], f"{m}.bias", f"{m}.bias" if to.guard else "")

    @staticmethod
    def norm(to: Lines, part: Part, roles: set[str]) -> None:
        for role, name in (("gamma", "weight"), ("beta", "bias")):
            if role in roles and role in part.specs:
                to.put(part.specs[role], f"{to.m}.{name}", f"{to.m}.{name}" if to.guard else "")

    @staticmethod
    def prelu(to: Lines, part: Part, roles: set[str]) -> None:
        to.put(part.specs["alpha"], f"{to.m}.weight")

    @staticmethod
    def embedding(to: Lines, part: Part, roles: set[str]) -> None:
        spec = part.specs["embeddings"]
        turned = spec.by_fans and spec.name not in ("glorot_uniform", "glorot_normal")
        to.put(spec, f"{to.m}.weight" + (".T" if turned else ""))  # Keras: fan_in is the number of rows

    @staticmethod
    def rnn(to: Lines, part: Part, roles: set[str]) -> None:
        m = to.m
        for end in ("", "_reverse") if "both" in part.flags else ("",):
            if "kernel" in roles:
                to.put(part.specs["kernel"], f"{m}.weight_ih_l0{end}")
            if "recurrent" in roles:
                to.put(part.specs["recurrent"], f"{m}.weight_hh_l0{end}")
            if "bias" in roles:
                for name in ("ih", "hh") if part.kind == "nn.GRU" else ("ih",):
                    to.put(part.specs["bias"], f"{m}.bias_{name}_l0{end}")
                if "forget" in part.flags:
                    to.forget(f"{m}.bias_ih_l0{end}", f"{m}.hidden_size")

    @staticmethod
    def cell(to: Lines, part: Part, roles: set[str]) -> None:
        m = to.m
        if "kernel" in roles:
            to.put(part.specs["kernel"], f"{m}.weight_ih")
        if "recurrent" in roles:
            to.put(part.specs["recurrent"], f"{m}.weight_hh")
        if "bias" in roles:
            gru = part.kind == "GRUCell"
            for name in ("bias_ih", "bias_hh") if gru else ("bias",):
                to.put(part.specs["bias"], f"{m}.{name}", f"{m}.{name}" if to.guard or gru else "")
            if "forget" in part.flags:
                to.forget(f"{m}.bias", f"{m}.hidden_size")

    @staticmethod
    def conv_cell(to: Lines, part: Part, roles: set[str]) -> None:
        m = to.m
        if "kernel" in roles:
            to.put(part.specs["kernel"], f"{m}.input.weight")
        if "recurrent" in roles:
            to.put(part.specs["recurrent"], f"{m}.recurrent.weight")
        if "bias" in roles:
            to.put(part.specs["bias"], f"{m}.input.bias", f"{m}.input.bias" if to.guard else "")
            to.forget(f"{m}.input.bias", f"{m}.out_channels")

    @staticmethod
    def heads(to: Lines, part: Part, roles: set[str]) -> None:
        inner = Lines(to.em, "linear")
        if "kernel" in roles:
            inner.put(part.specs["kernel"], "linear.weight")
        if "bias" in roles:
            inner.put(part.specs["bias"], "linear.bias", "linear.bias" if to.guard else "")
        m = to.m
        to.out.append(f"for linear in ({m}.query, {m}.key, {m}.value, {m}.output):")
        to.out += ["    " + line for line in inner.out]

    @staticmethod
    def mha(to: Lines, part: Part, roles: set[str]) -> None:
        m = to.m
        if "kernel" in roles:
            spec = part.specs["kernel"]
            if to.em.separate_projections:  # kdim or vdim given somewhere
                to.out += [f"weights = ({m}.q_proj_weight, {m}.k_proj_weight, {m}.v_proj_weight)",
                           f"if {m}.in_proj_weight is not None:",
                           f"    weights = {m}.in_proj_weight.detach().chunk(3)",
                           "for weight in weights:", "    " + fill(to.em, spec, "weight")]
            elif spec.by_fans:
                to.out.append(f"for weight in {m}.in_proj_weight.detach().chunk(3):  # query, key, value")
                to.out.append("    " + fill(to.em, spec, "weight"))
            else:
                to.put(spec, f"{m}.in_proj_weight")
        if "bias" in roles:
            to.put(part.specs["bias"], f"{m}.in_proj_bias", f"{m}.in_proj_bias" if to.guard else "")
        if "out" in roles:
            to.put(part.specs["kernel"], f"{m}.out_proj.weight")
            to.put(part.specs["bias"], f"{m}.out_proj.bias", f"{m}.out_proj.bias" if to.guard else "")


def _rnn(em: Emitter, part: Part) -> list[str]:
    """The branch of recurrent modules; `kind` may name several types."""
    kinds = part.kind.split(", ")
    specs = part.specs
    single = [k for k in kinds if k != "nn.GRU"]
    out = ["for name, param in module.named_parameters():",
           "    if name.startswith('weight_ih'):", f"        {fill(em, specs['kernel'], 'param')}",
           "    elif name.startswith('weight_hh'):", f"        {fill(em, specs['recurrent'], 'param')}",
           "    else:", f"        {fill(em, specs['bias'], 'param')}"]
    if "forget" in part.flags and "nn.LSTM" in kinds:
        test = "" if kinds == ["nn.LSTM"] else "isinstance(module, nn.LSTM) and "
        gate = "param.detach()[module.hidden_size:2 * module.hidden_size]"
        out += [f"    if {test}name.startswith('bias_ih'):", f"        nn.init.ones_({gate})  # forget gate"]
    if single:
        test = "" if single == kinds else f"isinstance(module, {tuple_of(single)}) and "
        out.append(f"    if {test}name.startswith('bias_hh'):")
        if specs["bias"] != ZEROS:
            out.append("        nn.init.zeros_(param)")
        out.append("        param.requires_grad_(False)")
    return out


def tuple_of(kinds: list[str]) -> str:
    return kinds[0] if len(kinds) == 1 else f"({', '.join(kinds)})"


@dataclass
class Branch:
    """One arm of `init_weights`."""

    kinds: list[str]
    part: Part  # with the chosen initialisers
    roles: set[str]
    guard: bool
    reset: bool = False

    def text(self, em: Emitter) -> list[str]:
        part = replace(self.part, kind=", ".join(self.kinds))
        first = ["module.reset_parameters()"] if self.reset else []
        return [*first, *(lines(em, part, "module", self.roles, self.guard) if self.roles else [])]

    def test(self, alone: bool) -> str:
        names = [k.removeprefix("depthwise ") for k in self.kinds]
        test = f"isinstance(module, {tuple_of(names)})"
        if self.part.family == "depthwise" and not alone:
            test += " and 1 < module.groups == module.in_channels"
        return test
