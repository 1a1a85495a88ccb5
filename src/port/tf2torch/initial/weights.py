"""The text of `init_weights`: the most frequent initialiser of each module type; deviations come after."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import libcst as cst

from port.tf2torch.emit import Emitter
from port.tf2torch.initial.initializers import Spec
from port.tf2torch.initial.lines import Branch, impossible, lines, tuple_of
from port.tf2torch.initial.parts import INNER, ORDER, OWN, ZEROS, Part, default_specs
from port.tf2torch.initial.places import Place
from port.tf2torch.initial.words import docstring
from port.tree import code, find, named

RNN = ["nn.LSTM", "nn.GRU", "nn.RNN"]


@dataclass(eq=False)
class Owner:
    """A class, a function or the module's own statements, with what it makes."""

    name: str
    node: Any = None
    kind: str = "class"  # class | method | function | module
    bound: list[tuple[Part, Place]] = field(default_factory=list)
    outermost: bool = True
    model: bool = False  # one of its own in the source, though others hold it here: it may be made alone as well
    plain: bool = True  # nothing else may apply `init_weights` to it: deviations are lines after its own


class Plan:
    """The choice for a whole file."""

    def __init__(self, em: Emitter, owners: list[Owner]):
        self.em, self.owners = em, owners
        self.parts = [part for owner in owners for part, _ in owner.bound]
        self.chosen: dict[str, Part] = {}
        for part in self.parts:
            if part.kind not in self.chosen:
                self.chosen[part.kind] = self._choose([p for p in self.parts if p.kind == part.kind])
        self.branches = self._branches()
        self.tails: list[str] = []  # statements on classes, after the branches on types

    def _choose(self, parts: list[Part]) -> Part:
        usable = [p for p in parts if p.known and not any(impossible(p, r) for r in p.specs)]
        if not usable:
            return replace(parts[0], specs=default_specs(parts[0]))
        counts = Counter(p.key for p in usable)
        most = [p for p in usable if counts[p.key] == max(counts.values())]
        return next((p for p in most if p.specs == default_specs(p)), most[0])  # a tie: Keras' own default

    # ------------------------------------------------------------ branches on types
    def _branches(self) -> list[Branch]:
        def place(kind: str) -> tuple[int, int, str]:
            return ORDER.index(self.chosen[kind].family), RNN.index(kind) if kind in RNN else 0, kind

        kinds = sorted(self.chosen, key=place)
        told = {k.removeprefix("depthwise ") for k in kinds if self.chosen[k].family not in OWN}
        made: list[Branch] = []
        for kind in kinds:
            branch = self._branch(kind, told)
            if branch is None:
                continue
            like = next((b for b in made if self._alike(b, branch)), None)
            if like is None:
                made.append(branch)
            else:
                like.kinds += branch.kinds
                like.guard = like.guard or branch.guard or like.roles != branch.roles
                like.roles |= branch.roles
        return made

    def _alike(self, a: Branch, b: Branch) -> bool:
        roles = a.roles - {"bias"} == b.roles - {"bias"}
        same = roles and a.reset == b.reset and (a.part.family, a.part.specs) == (b.part.family, b.part.specs)
        if a.part.family == "depthwise":
            return same and a.part.flags == b.part.flags
        return same and (a.part.family in ("simple", "rnn", "norm", "prelu") or not a.roles)

    def _branch(self, kind: str, told: set[str]) -> Branch | None:
        part = self.chosen[kind]
        guard = any(not p.bias for p in self.parts if p.kind == kind) or self._inner_without_bias(kind)
        if part.family == "depthwise" and self._as_simple(kind, guard):
            return None
        if part.family not in OWN:
            roles = set(part.specs)
            if part.family == "mha" and "own" not in part.flags and not self._linear_does(part):
                roles.add("out")
            if part.family in ("simple", "depthwise") and not any(
                    p.bias is not False for p in self.parts if p.kind == kind):
                roles, guard = roles - {"bias"}, False
            return Branch([kind], part, roles, guard)
        roles = {r for r, spec in part.specs.items() if spec != OWN[part.family].get(r)}
        if "LSTM" in kind and "forget" not in part.flags:
            roles.add("bias")
        inner = INNER.get(kind)
        reset = inner in told and not (part.family == "heads" and not roles and self._linear_does(part))
        return Branch([kind], part, roles, guard, reset) if roles or reset else None

    def _as_simple(self, kind: str, guard: bool) -> bool:
        """A depthwise convolution that the branch of the ordinary ones serves."""
        part, plain = self.chosen[kind], self.chosen.get(kind.removeprefix("depthwise "))
        if plain is None or "view" in part.flags or part.specs != plain.specs:
            return False
        for p in self.parts:  # they count for the guard of that branch
            if p.kind == plain.kind and guard:
                p.bias = p.bias and None
        return True

    def treats(self, part: Part) -> bool:
        """Does `init_weights` have a branch for it?"""
        base = part.kind.removeprefix("depthwise ")
        return any({part.kind, base} & set(b.kinds) for b in self.branches)

    def _linear_does(self, part: Part) -> bool:
        linear = self.chosen.get("nn.Linear")
        return linear is not None and linear.specs == part.specs

    def _inner_without_bias(self, kind: str) -> bool:
        """Do helpers or attention hold modules of this kind without a bias?"""
        if any(INNER.get(p.kind) == kind and (p.family == "conv_cell" or not p.bias) for p in self.parts):
            return True
        return kind == "nn.Linear" and any(p.family == "mha" and not p.bias for p in self.parts)

    # ------------------------------------------------------------ deviations
    def deviations(self, owner: Owner) -> list[str]:
        """Statements after `self.apply(init_weights)`; for an inner class they go to `tails`."""
        blocks: list[tuple[tuple[str, ...], list[str]]] = []
        for part, place in owner.bound:
            made = self._deviation(owner, part, place)
            if made and blocks and blocks[-1][0] == place.header:
                blocks[-1][1].extend(made)
            elif made:
                blocks.append((place.header, made))
        out = [line for header, made in blocks for line in nested(header, made)]
        if owner.kind != "class" or (owner.outermost and owner.plain) or not out:
            return out
        as_module = [line.replace("self.", "module.") for line in out]
        self.tails += [f"if isinstance(module, {owner.name}):", *["    " + line for line in as_module]]
        return []

    def _deviation(self, owner: Owner, part: Part, place: Place) -> list[str]:
        chosen = self.chosen[part.kind]
        if owner.kind == "class" and any(spec.local for spec in part.specs.values()):
            kept = attributes(owner.node)
            part = replace(part, specs={role: by_attributes(spec, kept) for role, spec in part.specs.items()})
        roles: set[str] = set()
        for role, spec in part.specs.items():
            why = self._cannot(owner, part, role, place, spec == chosen.specs.get(role))
            if why:
                self._tell(part, role, why, chosen)
            elif spec != chosen.specs.get(role):
                roles.add(role)
        if part.flags != chosen.flags and part.family == "depthwise":
            roles.add("kernel")
        elif ("forget" in part.flags) != ("forget" in chosen.flags):
            roles.add("bias")
        if not roles or part.lazy or not place.text:
            return []
        if part.family == "mha" and "own" not in part.flags and "kernel" in roles:
            roles.add("out")
        return lines(self.em, part, place.text + part.path, roles, not part.bias)

    def _cannot(self, owner: Owner, part: Part, role: str, place: Place, same: bool) -> str:
        spec = part.specs[role]
        if spec.why:
            return spec.why
        if same:
            return ""
        if part.lazy:
            return "the size is only known at the first call"
        alone = owner.outermost and owner.plain
        if spec.local and not alone and not spec.kept:
            return f"`{', '.join(v for _, v in spec.args)}` is only known where the layer is made"
        asked = owner.kind == "class" and owner.name.isidentifier()  # by which `init_weights` can ask for the class
        lost = not alone and (not asked or any(_foreign(h) for h in place.header))
        if lost or not place.text:
            return "the layer cannot be reached after it is made"
        return impossible(part, role)

    def _tell(self, part: Part, role: str, why: str, chosen: Part) -> None:
        spec = chosen.specs.get(role, ZEROS)
        what = {"kernel": "kernel", "gamma": "scale", "beta": "offset"}.get(role, role)
        self.em.report("P103", f"initial values of this layer's {what}: {why}; they are {spec.title} here",
                       part.site.job.node)

    # ------------------------------------------------------------ the function
    def text(self, name: str) -> str:
        em = self.em
        body: list[str] = []
        body += self._lazy(name)
        word = "if"
        for branch in self.branches:
            mine = {k.removeprefix("depthwise ") for k in branch.kinds}
            alone = not any(b is not branch and set(b.kinds) & mine for b in self.branches)
            body += [f"{word} {branch.test(alone)}:", *["    " + line for line in branch.text(em)]]
            word = "elif"
        body += self.tails
        if not body:
            return ""
        what = docstring(self.branches, bool(self.tails))
        return f'def {name}(module):\n    """{what}"""\n' + "".join(f"    {line}\n" for line in body)

    def _lazy(self, name: str) -> list[str]:
        """Lazy modules are filled once the first call has told their size."""
        kinds = sorted({p.kind.removeprefix("depthwise ").replace("nn.", "nn.Lazy")
                        for p in self.parts if p.lazy and self.treats(p)})
        filled = [k for k in kinds if "Norm" not in k]
        out = []
        if filled:
            self.em.need("functools")
            out += [f"if isinstance(module, {tuple_of(filled)}) and module.has_uninitialized_params():",
                    f"    module.reset_parameters = functools.partial({name}, module)  # when it has a size",
                    "    return"]
        norms = [k for k in kinds if k not in filled]
        if norms:
            out += [f"if isinstance(module, {tuple_of(norms)}) and module.has_uninitialized_params():",
                    "    return"]
        return out


def attributes(node: cst.ClassDef) -> dict[str, str]:
    """Parameter of the constructor -> the attribute that holds it as it was given."""
    init = next((s for s in node.body.body if isinstance(s, cst.FunctionDef) and s.name.value == "__init__"), None)
    if init is None:
        return {}
    given = {p.name.value for p in (*init.params.params, *init.params.kwonly_params)}
    lines = [n for n in find(init, cst.Assign) if len(n.targets) == 1]
    bound = Counter(code(n.targets[0].target) for n in lines)
    return {n.value.value: code(n.targets[0].target) for n in lines if isinstance(n.value, cst.Name)
            and n.value.value in given and not bound[n.value.value] and bound[code(n.targets[0].target)] == 1
            and isinstance(n.targets[0].target, cst.Attribute) and code(n.targets[0].target.value) == "self"}


def by_attributes(spec: Spec, kept: dict[str, str]) -> Spec:
    """The same by what the object keeps of its settings, so that it can be said after it is made."""
    if not spec.local or not spec.names <= {*kept, "self"}:
        return spec
    return replace(spec.put({name: cst.parse_expression(text) for name, text in kept.items()}), kept=True)


def nested(header: tuple[str, ...], body: list[str]) -> list[str]:
    """The statements below loops and conditions."""
    out = ["    " * len(header) + line for line in body]
    return [*["    " * i + h for i, h in enumerate(header)], *out]


def _foreign(header: str) -> bool:
    """Does a condition read names of the constructor?"""
    if not header.startswith("if ") or "[" in header or " in " in header:
        return False
    tree = cst.parse_expression(header[3:-1])
    names = named(tree)
    attributes = {n.attr.value for n in find(tree, cst.Attribute)}
    return bool(names - attributes - {"self", "not"})
