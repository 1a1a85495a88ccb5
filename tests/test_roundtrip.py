"""There and back: every example, ported to PyTorch and from there to Keras, refuses no model code and still agrees.

The way back is verified against the PyTorch file that it was made from, and against the example itself. From there it
goes to PyTorch once more, and is verified against the PyTorch file.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from port.findings import CATALOGUE
from port.result import Result
from port.translate import translate
from port.verify.cases import Case, as_case
from port.verify.parent import Verdict, verify

FOLDER = Path(__file__).resolve().parents[1] / "corpus" / "examples"
FRAMEWORKS = all(find_spec(name) for name in ("tensorflow", "torch"))
# One of each kind: images, a model that grows, text with a mask, recurrent in two directions, attention, sets, losses.
IN_CI = ("cnn.py", "inception.py", "mobilenet.py", "gru_encoder.py", "bilstm_tagger.py", "vit.py", "mlp_mixer.py",
         "attention_pooling.py", "losses.py")
AGAIN_IN_CI = ("autoencoder.py", "transformer_encoder.py")  # a loop that changes the layout; helpers and their values
# PyTorch's constructors take input sizes, which Keras sees at the first call.
SIZES = {"GCN(hidden=8": "GCN(5, hidden=8"}
# Keras' own attention beside the port's, whose projections are one weight: verify pairs no such layers.
UNPAIRED = {"vit.py", "transformer_encoder.py"}
TRAINING = {"P205", "P207"}
# Indices of PyTorch are int64.
WIDE = {"Writer(vocab_size=17, steps=4)": ("i64[3,5]<17",)}


def _cases() -> dict[str, list[Case]]:
    found: dict[str, list[Case]] = {}
    for entry in tomllib.loads((FOLDER / "cases.toml").read_text(encoding="utf-8"))["cases"]:
        case = as_case({k: v for k, v in entry.items() if k != "file"})
        found.setdefault(entry["file"], []).append(replace(case, inputs=WIDE.get(case.call, case.inputs)))
    return found


CASES = _cases()


def _sized(call: str) -> str:
    for short, whole in SIZES.items():
        call = call.replace(short, whole)
    return call


@cache
def _there(name: str) -> Result:
    return translate((FOLDER / name).read_text(encoding="utf-8"), "tf2torch", path=name)


@cache
def _back(name: str) -> Result:
    return translate(_there(name).text, "torch2tf", path=name)


@cache
def _again(name: str) -> Result:
    return translate(_back(name).text, "tf2torch", path=name)


def _verified(name: str, folder: Path) -> dict[str, list[Verdict]]:
    """Both verdicts: of the way back, and of the whole way."""
    twin, back = folder / f"torch_{name}", folder / f"keras_{name}"
    twin.write_text(_there(name).text, encoding="utf-8")
    back.write_text(_back(name).text, encoding="utf-8")
    sized = [replace(c, call=_sized(c.call)) for c in CASES[name]]
    whole = [replace(c, ported_call=_sized(c.call) if _sized(c.call) != c.call else "") for c in CASES[name]]
    found = {"back": verify(twin, back, "torch2tf", sized)}
    return found if name in UNPAIRED else {**found, "whole": verify(FOLDER / name, back, "tf2tf", whole)}


@pytest.fixture(scope="module")
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
            ) -> Iterator[dict[str, Future[dict[str, list[Verdict]]]]]:
    """All selected files, as many at a time as there are cores."""
    folder = tmp_path_factory.mktemp("roundtrip")
    chosen = [getattr(getattr(item, "callspec", None), "params", {}) for item in request.session.items]
    wanted = {params["verified"] for params in chosen if "verified" in params}
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        yield {name: pool.submit(_verified, name, folder) for name in CASES if name in wanted}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("name", CASES)
def test_ports_back(name: str) -> None:
    """Nothing is refused, not even the training code: what stayed in TensorFlow is Keras already."""
    back = _back(name)
    assert not [f for f in back.findings if CATALOGUE[f.code].outcome.needs_person]
    assert "import torch" not in back.text and "from torch" not in back.text


@pytest.mark.parametrize("name", CASES)
def test_ports_there_again(name: str) -> None:
    """Nothing is refused but training code (P205, P207), which stays in Keras."""
    again = _again(name)
    assert {f.code for f in again.findings if CATALOGUE[f.code].outcome.needs_person} <= TRAINING
    if not any(f.code in TRAINING for f in again.findings):
        assert not re.search(r"^ *(import|from) (keras|tensorflow)", again.text, re.M)


@pytest.mark.skipif(not find_spec("torch"), reason="needs PyTorch")
@pytest.mark.parametrize("name", [
    name if name in AGAIN_IN_CI else pytest.param(name, marks=pytest.mark.corpus) for name in CASES])
def test_there_again_verified(name: str, tmp_path: Path) -> None:
    """The PyTorch file against what has come back of it."""
    twin, again = tmp_path / f"torch_{name}", tmp_path / f"again_{name}"
    twin.write_text(_there(name).text, encoding="utf-8")
    again.write_text(_again(name).text, encoding="utf-8")
    sized = [replace(c, call=_sized(c.call)) for c in CASES[name]]
    wrong = [f"{v.case.call}: {v.status}: {v.message}" for v in verify(twin, again, "torch2torch", sized)
             if v.status != "verified"]
    assert not wrong, "\n".join(wrong)


@pytest.mark.skipif(not FRAMEWORKS, reason="needs TensorFlow and PyTorch")
@pytest.mark.parametrize("verified", [
    name if name in IN_CI else pytest.param(name, marks=pytest.mark.corpus) for name in CASES])
def test_verified(verified: str, running: dict[str, Future[dict[str, list[Verdict]]]]) -> None:
    for way, found in running[verified].result().items():
        assert len(found) == len(CASES[verified])
        wrong = [f"{way}: {v.case.call}: {v.status}: {v.message}" for v in found if v.status != "verified"]
        assert not wrong, "\n".join(wrong)


APPLICATIONS = {
    "resnet": [Case("ResNet50(weights=None, input_shape=(64, 48, 3), classes=7)", ("f32[2,64,48,3]",))],
    "mobilenet_v2": [Case("MobileNetV2(weights=None, input_shape=(64, 96, 3), classes=7)", ("f32[2,64,96,3]",)),
                     Case("MobileNetV2(weights=None, input_shape=(65, 96, 3), include_top=False)",
                          ("f32[2,65,96,3]",))]}


def _application(name: str) -> Path:
    spec = find_spec("keras")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "src" / "applications" / f"{name}.py"


@pytest.mark.skipif(not find_spec("keras"), reason="needs Keras")
@pytest.mark.parametrize("name", APPLICATIONS)
def test_applications_port_back(name: str) -> None:
    there = translate(_application(name).read_text(encoding="utf-8"), "tf2torch", path=f"{name}.py")
    back = translate(there.text, "torch2tf", path=f"{name}.py")
    assert not [f for f in back.findings if CATALOGUE[f.code].outcome.needs_person]


@pytest.mark.skipif(not find_spec("keras"), reason="needs Keras")
@pytest.mark.parametrize("name", APPLICATIONS)
def test_applications_port_there_again(name: str) -> None:
    """What is refused belongs to files of weights and images: no more than the first time."""
    there = translate(_application(name).read_text(encoding="utf-8"), "tf2torch", path=f"{name}.py")
    back = translate(there.text, "torch2tf", path=f"{name}.py")
    again = translate(back.text, "tf2torch", path=f"{name}.py")
    first, last = ([(f.code, f.symbol or f.message) for f in r.findings if CATALOGUE[f.code].outcome.needs_person]
                   for r in (there, again))
    assert sorted(last) == sorted(first)


@pytest.mark.corpus
@pytest.mark.parametrize("name", APPLICATIONS)
def test_applications_verified(name: str, tmp_path: Path) -> None:
    twin, back, again = (tmp_path / f"{kind}_{name}.py" for kind in ("torch", "keras", "again"))
    there = translate(_application(name).read_text(encoding="utf-8"), "tf2torch", path=f"{name}.py")
    twin.write_text(there.text, encoding="utf-8")
    back.write_text(translate(there.text, "torch2tf", path=f"{name}.py").text, encoding="utf-8")
    again.write_text(translate(back.read_text(encoding="utf-8"), "tf2torch", path=f"{name}.py").text, encoding="utf-8")
    found = verify(twin, back, "torch2tf", APPLICATIONS[name]) + verify(
        _application(name), back, "tf2tf", APPLICATIONS[name]) + verify(
        twin, again, "torch2torch", APPLICATIONS[name])
    wrong = [f"{v.case.call}: {v.status}: {v.message}" for v in found if v.status != "verified"]
    assert not wrong, "\n".join(wrong)
