"""Rows of objects: losses and penalties as they are translated, optimisers and schedules step by step."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import libcst as cst
import numpy as np
import pytest

from port import advice, sample, table
from port.findings import Outcome
from port.internals import PUBLIC
from port.prove import numbers
from port.prove.cases import Case
from port.samplecode import literal
from port.translate import translate

STEPS = 10
CALLED = ("losses.yaml", "regularizers.yaml")
# Keras rounds rates and bias corrections to float32
CLOSE = 2e-5
HEAD = {"tf": "import keras\nimport tensorflow as tf\n\n\n",
        "torch": "import bisect\nimport math\nimport types\n\nimport torch\n\n\n"}
STEP = {
    "keras": "def f(w, g):\n    v = keras.Variable(w, dtype=w.dtype)\n    opt = {text}\n    out = []\n"
             f"    for i in range({STEPS}):\n        opt.apply([0.5 * v.value + g[i]], [v])\n"
             "        out.append(tf.identity(v.value))\n    return tf.stack(out)\n",
    "tf": "def f(w, g):\n    v = tf.Variable(w)\n    opt = {text}\n    out = []\n"
          f"    for i in range({STEPS}):\n        opt.apply_gradients([(0.5 * v + g[i], v)])\n"
          "        out.append(tf.identity(v))\n    return tf.stack(out)\n",
    "torch": "def f(w, g):\n    p = torch.nn.Parameter(w.detach().clone())\n"
             "    model = types.SimpleNamespace(parameters=lambda: [p])\n    opt = {text}\n    out = []\n"
             f"    for i in range({STEPS}):\n        p.grad = 0.5 * p.detach() + g[i]\n        opt.step()\n"
             "        out.append(p.detach().clone())\n    return torch.stack(out)\n"}
RATES = {
    "tf": "def f(x):\n    rate = {text}\n    return tf.stack([tf.cast(rate(i), x.dtype) for i in range(40)])\n",
    "torch": "def f(x):\n    p = torch.nn.Parameter(x.detach().clone())\n"
             "    optimizer = torch.optim.SGD([p], lr={first})\n    scheduler = {text}\n    out = []\n"
             "    for i in range(40):\n        out.append(optimizer.param_groups[0]['lr'])\n        optimizer.step()\n"
             "        scheduler.step()\n    return torch.tensor(out, dtype=x.dtype)\n"}


# The first step where gradients are tiny, as the rows say it: by default rates, with a zero weight.
FIRST: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "adam_optimizer": (lambda g: 1e-3 * g / (np.abs(g) + 1e-7 / np.sqrt(1e-3)),
                       lambda g: 1e-3 * g / (np.abs(g) + 1e-7)),
    "rmsprop_optimizer": (lambda g: 1e-3 * g / np.sqrt(0.1 * g * g + 1e-7),
                          lambda g: 1e-3 * g / (np.sqrt(0.1) * np.abs(g) + 1e-7))}
FIRST["adamw_optimizer"] = FIRST["adam_optimizer"]
TINY = {"w": "f32(0,0)[3,4]", "g": f"f32(0.000001,0.000002)[{STEPS},3,4]"}


# A name from inside TensorFlow is the public function, or has its names on it; an initialiser has Keras' parameters.
INSIDE = """
import importlib
import inspect
from functools import reduce


def named(function):
    found = inspect.unwrap(function)
    return [n for names in ("_tf_api_names", "_tf_api_names_v1") for n in getattr(found, names, None) or ()]


def same(inner, public):
    module, _, own = inner.replace("tf.", "tensorflow.", 1).rpartition(".")
    here = getattr(importlib.import_module(module), own)
    root, *path = public.split(".")
    there = reduce(getattr, path, {"tf": tf, "keras": keras}[root])
    short = public.removeprefix("tf.").removeprefix("compat.v1.")
    if root == "keras":
        ours, theirs = (inspect.signature(f).parameters for f in (here, there))
        return all(theirs[name].default == p.default for name, p in ours.items())
    return here is there or short in named(here)


def f(x):
    wrong = [pair for pair in PAIRS if not same(*pair)]
    assert not wrong, wrong
    return x
"""
# The public ones call these.
WRAPPED = ("tf.python.framework.ops.convert_to_tensor", "tf.python.framework.ops.name_scope")


@dataclass(frozen=True)
class Proof:
    """By row: what is wrong, and what ran; the first step with tiny gradients on either side, and those."""

    faults: dict[str, list[str]]
    ran: dict[str, int]
    first: dict[str, tuple[Any, ...]]


def rows(*files: str) -> list[table.Row]:
    return [row for group in table.load().values() for row in group if row.file in files]


def called() -> list[table.Row]:
    return [row for row in rows(*CALLED) if not row.none]


def trained() -> list[table.Row]:
    return [row for row in rows("training.yaml") if row.sample]


def text_of(name: str, given: dict[str, Any], inputs: dict[str, sample.Spec]) -> str:
    return f"{name}({', '.join(f'{n}={literal(n, v, inputs)}' for n, v in given.items() if n != 'call')})"


def written(row: table.Row, to: str, text: str) -> str:
    node = cst.parse_expression(text)
    assert isinstance(node, cst.Call)
    return advice.told([row], to, node).rpartition("; write `")[2].rstrip("`")


def public(name: str) -> str:
    """Keras has its schedules in a module of their own."""
    own = name.rpartition(".")[2]
    return name.replace("keras.optimizers.", "keras.optimizers.schedules.") if "Decay" in own else name


def in_dtype(source: str) -> str:
    """A loss computes in the dtype of its policy, which is that of the model; here it is that of the prediction."""
    return re.sub(r"(keras\.losses\.\w+)\((.*)\)\(x0, x1\)", r"\1(dtype=x1.dtype.name, \2)(x0, x1)", source)


def called_cases(row: table.Row) -> list[Case]:
    found = []
    for signature in row.tf:
        for at, given in enumerate(row.sample if signature is row.tf[0] else row.sample[:1]):
            inputs: dict[str, sample.Spec] = {}
            args = given.get("call", ["f32[3,4]"])
            names = [literal(f"x{i}", v, inputs) for i, v in enumerate(args)]
            text = f"{text_of(signature.name, given, {})}({', '.join(names)})"
            source = f"{HEAD['tf']}def f({', '.join(names)}):\n    return {text}\n"
            found.append(Case(f"{row.name}/{row.tf.index(signature)}/{len(row.sample)}/{row.only}/{at}", row, source,
                              inputs))
    return found


@pytest.fixture(scope="session")
def proof(tmp_path_factory: pytest.TempPathFactory) -> Proof:
    faults: dict[str, list[str]] = defaultdict(list)
    texts: dict[str, dict[str, str]] = {"tf": {}, "torch": {}}
    cases: list[Case] = []
    for row in called():
        for case in called_cases(row):
            result = translate(case.source, "tf2torch", params=case.facts)
            if bad := [f for f in result.findings if f.outcome in (Outcome.REFUSED, Outcome.INTERNAL)]:
                faults[row.name].append(f"{case.source.splitlines()[-1]}: {bad[0].message}")
                continue
            texts["tf"][case.id], texts["torch"][case.id] = in_dtype(case.source), result.text
            cases.append(case)
    for row in trained():
        for case, tf, torch in trained_cases(row):
            texts["tf"][case.id], texts["torch"][case.id] = tf, torch
            cases.append(case)
    tiny = {row.name: trained_cases(row, TINY)[0] for row in trained() if row.name in FIRST}
    for case, tf, torch in tiny.values():
        texts["tf"][case.id], texts["torch"][case.id] = tf, torch
    pairs = [pair for pair in PUBLIC.items() if pair[0] not in WRAPPED]
    texts["tf"]["inside"] = HEAD["tf"] + INSIDE.replace("PAIRS", repr(pairs))
    texts["torch"]["inside"] = "def f(x):\n    return x\n"
    inside = Case("inside", replace(called()[0], name="inside"), "", {"x": sample.Spec("f32", "", (2,), None)})
    cases.append(inside)
    every = [*cases, *(case for case, *_ in tiny.values())]
    done = numbers.run_both(every, texts, tmp_path_factory.mktemp("objects"), {})
    ran: dict[str, int] = defaultdict(int)
    for case in cases:
        for dtype in numbers.DTYPES:
            if fault := compare(case, dtype, done):
                faults[case.row.name].append(f"{case.id} in {dtype}: {fault}\n{texts['tf'][case.id]}"
                                             f"\n{texts['torch'][case.id]}")
        ran[case.row.name] += 1
    first = {name: (*(done[side].arrays[f"{case.id}|float64"]["result 0"][0] for side in ("tf", "torch")),
                    case.arrays()["g"][0]) for name, (case, *_) in tiny.items()}
    return Proof(faults, ran, first)


def trained_cases(row: table.Row, specs: dict[str, str] | None = None) -> list[tuple[Case, str, str]]:
    """Cases with their texts in TF and torch; `specs`: other inputs than the usual."""
    found = []
    for at, given in enumerate(row.sample):
        source = text_of(public(row.tf[0].name), given, {})
        ported = written(row, "torch", text_of(row.tf[0].name, given, {}))
        name = f"{row.name}/{row.only}/{at}/{'' if specs is None else 'tiny'}"
        own = replace(row, grad=False)
        if row.name.endswith("_optimizer"):
            usual = {"w": "f32+[3,4]", "g": f"f32+[{STEPS},3,4]"}  # no gradient is tiny
            inputs = {n: spec for n, text in (specs or usual).items() if (spec := sample.parse(text))}
            kind = "keras" if source.startswith("keras") else "tf"
            sides = HEAD["tf"] + STEP[kind].format(text=source), HEAD["torch"] + STEP["torch"].format(text=ported)
            found.append((Case(name, own, "", inputs), *sides))
            if "tf" in row.expr:
                back = HEAD["tf"] + STEP[kind].format(text=written(row, "tf", ported))
                found.append((Case(f"{name}/back", own, "", inputs), back, sides[1]))
        else:
            first = given.get("initial_learning_rate", given.get("values", [0])[0])
            sides = (HEAD["tf"] + RATES["tf"].format(text=source),
                     HEAD["torch"] + RATES["torch"].format(text=ported, first=first))
            found.append((Case(name, own, "", {"x": sample.Spec("f32", "", (2,), None)}), *sides))
    return found


def compare(case: Case, dtype: str, done: dict[str, numbers.Outcome]) -> str:
    if case.row.file in CALLED:
        return numbers.compare(case, dtype, done["tf"], done["torch"])
    run = f"{case.id}|{dtype}"
    for side, outcome in done.items():
        if run in outcome.errors:
            return f"{side} raises {outcome.errors[run]}"
    ours, theirs = (done[side].arrays[run]["result 0"] for side in ("tf", "torch"))
    if ours.shape != theirs.shape:
        return f"shape {ours.shape} is {theirs.shape} in torch"
    moved = np.max(np.abs(ours - ours[0]))
    error = np.max(np.abs(ours - theirs)) / moved if moved else np.inf
    return f"differs by {error:.1e}" if error > (CLOSE if dtype == "float64" else 20 * CLOSE) else ""


@pytest.mark.parametrize("name", sorted({row.name for row in [*called(), *trained()]}))
def test_object(proof: Proof, name: str) -> None:
    if proof.faults.get(name):
        pytest.fail("\n".join(proof.faults[name]), pytrace=False)
    assert proof.ran.get(name), f"{name} has no sample: unproven"


def test_names_from_inside_tensorflow(proof: Proof) -> None:
    assert not proof.faults.get("inside"), proof.faults["inside"]


def test_every_text_to_write_has_a_sample() -> None:
    assert not [row.name for row in rows("training.yaml") if row.expr and not row.sample]


@pytest.mark.parametrize("name", sorted(FIRST))
def test_epsilon_stands_where_the_row_says(proof: Proof, name: str) -> None:
    keras, torch, g = proof.first[name]
    for ours, formula in zip((keras, torch), FIRST[name], strict=True):
        assert np.allclose(-ours, formula(g), rtol=2e-5, atol=0)
    assert not np.allclose(keras, torch, rtol=1e-2, atol=0)  # where gradients are as small, it decides
