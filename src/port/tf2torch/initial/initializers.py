"""Keras initialisers: their names, and the statements that do the same in PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import libcst as cst

from port import tree
from port.binding import literal_text
from port.tf2torch.emit import Emitter

ALIASES = {"zero": "zeros", "one": "ones", "normal": "random_normal", "uniform": "random_uniform",
           "identity_initializer": "identity", "orthogonal_initializer": "orthogonal"}
# parameters with their defaults; `seed` and `dtype` change no distribution
PARAMETERS: dict[str, dict[str, Any]] = {
    "zeros": {}, "ones": {}, "glorot_uniform": {}, "glorot_normal": {}, "he_normal": {}, "he_uniform": {},
    "lecun_normal": {}, "lecun_uniform": {},
    "constant": {"value": 0.0}, "random_normal": {"mean": 0.0, "stddev": 0.05},
    "random_uniform": {"minval": -0.05, "maxval": 0.05}, "truncated_normal": {"mean": 0.0, "stddev": 0.05},
    "variance_scaling": {"scale": 1.0, "mode": "fan_in", "distribution": "truncated_normal"},
    "orthogonal": {"gain": 1.0}, "identity": {"gain": 1.0}}
CUT = "truncated_normal"
BY_FANS = {"glorot_uniform": (1.0, "fan_avg", "uniform"), "glorot_normal": (1.0, "fan_avg", CUT),
           "he_normal": (2.0, "fan_in", CUT), "he_uniform": (2.0, "fan_in", "uniform"),
           "lecun_normal": (1.0, "fan_in", CUT), "lecun_uniform": (1.0, "fan_in", "uniform")}


@dataclass(frozen=True)
class Spec:
    """One initialiser. `args` differ from the defaults; `why` says what is not understood."""

    name: str = ""
    args: tuple[tuple[str, str], ...] = ()  # source text, valid at module level unless `local`
    local: bool = False
    why: str = ""
    kept: bool = False  # its arguments are attributes of the object, so it is valid after the object is made

    def arg(self, name: str) -> str:
        return dict(self.args).get(name, repr(PARAMETERS[self.name][name]))

    @property
    def names(self) -> set[str]:
        """The variables of its arguments."""
        parsed = [cst.parse_expression(text) for _, text in self.args]
        owned = {n.attr.value for one in parsed for n in tree.find(one, cst.Attribute)}
        return {name for one in parsed for name in tree.named(one)} - owned

    def put(self, values: Mapping[str, cst.BaseExpression]) -> Spec:
        """The same with expressions for variables."""
        def change(node: Any) -> Any:
            if isinstance(node, cst.Attribute):
                return node.with_changes(value=change(node.value))
            return values.get(node.value, node) if isinstance(node, cst.Name) else tree.rebuild(node, change)

        made = [(key, change(cst.parse_expression(text))) for key, text in self.args]
        return replace(self, args=tuple((key, tree.code(new)) for key, new in made))

    @property
    def by_fans(self) -> bool:
        return self.name in BY_FANS or self.name == "variance_scaling"

    @property
    def shaped(self) -> bool:
        """Does it depend on the shape of the weight?"""
        return self.by_fans or self.name in ("orthogonal", "identity")

    @property
    def title(self) -> str:
        plain = {"random_normal": "normal", "random_uniform": "uniform", "zeros": "zero", "ones": "one",
                 "variance_scaling": "variance scaled"}.get(self.name, self.name.replace("_", " "))
        return " ".join(w.capitalize() if w in ("glorot", "lecun", "he") else w for w in plain.split())


def unknown(what: str, how: str = "cannot be read from this file") -> Spec:
    return Spec(why=f"`{what}` {how}")


def literal(text: str) -> Any:
    try:
        return literal_text(text)
    except LookupError:
        return ...


def snake(name: str) -> str:
    if name != name.lower():
        name = "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))
    return ALIASES.get(name, name)


def named(value: str | None) -> Spec:
    """A string, or None: Keras' own default for any float weight, biases too."""
    if value is None:
        return Spec("glorot_uniform")
    name = snake(value)
    return Spec(name) if name in PARAMETERS else unknown(repr(value))


def canonical(spec: Spec) -> Spec:
    """VarianceScaling(2.0, 'fan_in') is HeNormal; a constant 0 is zeros."""
    if spec.name == "constant":
        value = literal(spec.arg("value"))
        if value in (0, 1) and value is not True and value is not False:
            return Spec("zeros" if value == 0 else "ones")
    if spec.name == "variance_scaling" and not spec.local:
        triple = tuple(literal(spec.arg(k)) for k in ("scale", "mode", "distribution"))
        triple = (*triple[:2], {"normal": "truncated_normal"}.get(str(triple[2]), triple[2]))
        for name, fans in BY_FANS.items():
            if triple == fans:
                return Spec(name)
        if dict(spec.args).get("distribution") in ("'normal'", '"normal"'):
            return Spec(spec.name, tuple(a for a in spec.args if a[0] != "distribution"))
    return spec


# ---------------------------------------------------------------- statements
def fill(em: Emitter, spec: Spec, weight: str) -> str:
    """The statement that fills a tensor whose fans PyTorch counts as Keras does."""
    em.need("nn")
    plain = {"zeros": "nn.init.zeros_({w})", "ones": "nn.init.ones_({w})", "identity": "nn.init.eye_({w})",
             "glorot_uniform": "nn.init.xavier_uniform_({w})", "he_uniform": "nn.init.kaiming_uniform_({w})",
             "lecun_uniform": "nn.init.kaiming_uniform_({w}, nonlinearity='linear')",
             "orthogonal": "nn.init.orthogonal_({w})"}
    if spec.name in plain and not spec.args:
        return plain[spec.name].format(w=weight)
    given = dict(spec.args)
    if spec.name == "orthogonal":
        return f"nn.init.orthogonal_({weight}, {given['gain']})"
    if spec.name == "constant":
        return f"nn.init.constant_({weight}, {spec.arg('value')})"
    if spec.name == "random_uniform":
        return f"nn.init.uniform_({weight}, {spec.arg('minval')}, {spec.arg('maxval')})"
    if spec.name == "random_normal":
        return f"nn.init.normal_({weight}, {_moments(spec)})"
    helper = spec.name + "_"
    em.helper(helper)
    if spec.name == "truncated_normal":
        return f"{helper}({weight}, {_moments(spec)})" if given else f"{helper}({weight})"
    if spec.name == "variance_scaling":
        positional = True
        parts = []
        for key in PARAMETERS[spec.name]:
            if key in given:
                parts.append(given[key] if positional else f"{key}={given[key]}")
            else:
                positional = False
        return f"{helper}({', '.join([weight, *parts])})"
    return f"{helper}({weight})"


def _moments(spec: Spec) -> str:
    given = dict(spec.args)
    if "mean" in given:
        return f"{given['mean']}, {spec.arg('stddev')}"
    return f"std={spec.arg('stddev')}"
