"""Laws of the translator that hold for every text: files without framework code, second runs, arguments of calls."""

from __future__ import annotations

import ast
import random
import sysconfig
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from port import batch, files
from port.result import Options, Result
from port.symbols import MARKS
from port.translate import translate

ROOT = Path(__file__).resolve().parents[1]
SOURCES = [*sorted((ROOT / "corpus" / "examples").glob("*.py")),
           *sorted((ROOT / "tests" / "golden" / "tf2torch").glob("*/tf_version.py"))]
STDLIB = sorted(p for p in Path(sysconfig.get_path("stdlib")).rglob("*.py")
                if not {"site-packages", "dist-packages", "test", "tests"} & set(p.parts))
DONE: dict[Path, Result] = {}


def _id(path: Path) -> str:
    return path.parent.name if path.name == "tf_version.py" else path.stem


def _translated(path: Path) -> Result:
    """Translated once a run."""
    if path not in DONE:
        DONE[path] = translate(path.read_text(encoding="utf-8"), "tf2torch", path=str(path))
    return DONE[path]


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return None


@pytest.mark.parametrize(("direction", "mark"), [("tf2torch", "# like tensorflow and keras"), ("torch2tf", "# torch")])
def test_the_standard_library_comes_back_as_it_is(direction: str, mark: str) -> None:
    sampled = random.Random(str(STDLIB[0]) + direction).sample(STDLIB, min(120, len(STDLIB)))
    texts = {path: text for path in sampled if (text := _read(path)) is not None}
    assert len(texts) > 100
    for path, text in texts.items():
        # a comment that names a framework: the text is read, and not passed by
        for given_ in (text, f"{text}\n{mark}\n"):
            result = translate(given_, direction)
            assert result.text == given_ and not [f for f in result.findings if f.code != "P902"], path


def _items(folder: Path, direction: str) -> list[batch.Item]:
    return list(batch.run(files.find([folder]), direction, lambda path: Options()))


@pytest.mark.corpus
@pytest.mark.parametrize(("direction", "mark"), [("tf2torch", b"# tensorflow"), ("torch2tf", b"# torch")])
@pytest.mark.parametrize("marked", [False, True])
def test_all_of_the_standard_library_byte_for_byte(tmp_path: Path, direction: str, mark: bytes, marked: bool) -> None:
    """As it is installed, its tests too; and once more with a comment that makes the translator read it."""
    top = Path(sysconfig.get_path("stdlib"))
    for at, path in enumerate(p for p in sorted(top.rglob("*.py")) if "site-packages" not in p.parts):
        target = tmp_path / f"{at // 500}" / f"{at}_{path.name}"
        target.parent.mkdir(exist_ok=True)
        raw = path.read_bytes()
        target.write_bytes(raw + (b"\n" + mark if marked else b""))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.py")}
    items = batch.save(_items(tmp_path, direction), None, single=False)
    changed = [i.found.path.name for i in items if i.report.changed or i.report.written]
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*.py")} and not changed
    assert not [f for i in items for f in i.report.findings if f.code == "P901"]
    unread = sum(bool(i.report.error) or i.report.failed for i in items)
    print(f"{direction}, marked {marked}: {len(items)} files, {unread} are no Python, {len(changed)} changed")


def _fetched(package: str) -> Path:
    """The package as the corpus benchmark fetches it."""
    from corpus import fetch

    name = package.replace("_", "-")
    return fetch.package(name, tomllib.loads((ROOT / "corpus/manifest.toml").read_text())["packages"]) / package


@pytest.mark.corpus
@pytest.mark.parametrize(("package", "direction"), [("keras", "tf2torch"), ("keras", "torch2tf"),
                                                    ("vit_pytorch", "torch2tf"), ("vit_pytorch", "tf2torch")])
def test_whole_packages_come_out_parseable(package: str, direction: str) -> None:
    spec = find_spec(package)
    place = Path(spec.origin).parent if spec is not None and spec.origin else _fetched(package)
    items = _items(place, direction)
    for item in items:
        assert item.report.result is not None, item.report
        ast.parse(item.report.result.text)
    faults = [(str(i.found.path), f.message) for i in items for f in i.report.findings if f.code == "P901"]
    print(f"{package}: {len(items)} files, {sum(i.report.changed for i in items)} changed, {len(faults)} P901")
    assert not faults


@pytest.mark.parametrize("path", SOURCES, ids=_id)
def test_output_parses(path: Path) -> None:
    result = _translated(path)
    assert result.changed
    compile(result.text, str(path), "exec")
    assert not [f for f in result.findings if f.code == "P901"]


@pytest.mark.parametrize("path", SOURCES, ids=_id)
def test_a_second_run_changes_nothing(path: Path) -> None:
    first = _translated(path).text
    assert translate(first, "tf2torch", path=str(path)).text == first


# ---------------------------------------------------------------- random texts

NAMES = st.sampled_from(["a", "model", "tensorflow_like", "keras_x", "nn"])
VALUES = st.sampled_from(["1", "'keras'", "None", "[1, 2]", "f(a, b=2)", "lambda x: x", "x if y else z", "not a"])
LINES = st.one_of(
    st.builds("{} = {}".format, NAMES, VALUES),
    st.builds("def {}(x, *, y=1):\n    # tensorflow\n    return x".format, NAMES),
    st.builds("class {}:\n\tpass".format, NAMES),
    st.builds("for {} in {}: pass".format, NAMES, VALUES),
    st.sampled_from(["import os, sys", "from torch import nn", "# import keras", "", "x = {**a, 'tf': 1}",
                     "@f\ndef g(): ...", "'''keras'''", "async def f():\n  await g()", "\\\n",
                     "match x:\n    case 1:\n        pass"]))


@settings(max_examples=150, deadline=None)
@given(st.lists(LINES, max_size=8), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.sampled_from(sorted(MARKS)))
def test_texts_without_a_framework_come_back(lines: list[str], newline: str, ends: bool, direction: str) -> None:
    kept = [line for line in lines if direction == "tf2torch" or line != "from torch import nn"]
    text = newline.join(line.replace("\n", newline) for line in kept) + (newline if ends else "")
    result = translate(text, direction)
    assert result.text == text


LETTERS = st.sampled_from("abt.()[]{}:=,'\"#\n\r\t\f \\é\0@")


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet=LETTERS, max_size=60), st.sampled_from(sorted(MARKS)))
def test_any_text_is_translated_or_told(text: str, direction: str) -> None:
    """No exception, no change to what is not Python; also with skips and suppressions in odd places."""
    head = "import tensorflow as tf\n" if direction == "tf2torch" else "import torch\n"
    for given_ in (text, head + text, f"{head}{text}# port: skip\n{text}# port: ignore[P203]"):
        result = translate(given_, direction)
        assert result.source == given_
        if any(f.code == "P902" for f in result.findings):
            assert result.text == given_


EDITS = st.sampled_from(["  # port: skip", "  # port: ignore[P203]", "\f", "\\", "(", "\t", "'''", "\0", "\r"])


@settings(max_examples=40, deadline=None)
@example(SOURCES[0], 0, "\0")
@given(st.sampled_from(SOURCES[:12]), st.integers(0, 10_000), EDITS)
def test_a_damaged_file_is_translated_or_told(path: Path, at: int, edit: str) -> None:
    lines = path.read_text(encoding="utf-8").split("\n")
    lines[at % len(lines)] += edit
    result = translate("\n".join(lines), "tf2torch")
    assert not [f for f in result.findings if f.code == "P901"]
    if any(f.code == "P902" for f in result.findings):
        assert not result.changed
    else:
        ast.parse(result.text)


# ---------------------------------------------------------------- every argument is accounted for

# layer: keyword arguments with two values each, one of which is the default
LAYERS = {
    "Conv2D": {"strides": ("1", "2"), "padding": ("'valid'", "'same'"), "dilation_rate": ("1", "2"),
               "use_bias": ("True", "False"), "activation": ("None", "'relu'"), "name": ("None", "'stem'"),
               "groups": ("1", "2"), "kernel_constraint": ("None", "keras.constraints.NonNeg()"),
               "activity_regularizer": ("None", "keras.regularizers.L2(0.1)")},
    "Dense": {"use_bias": ("True", "False"), "activation": ("None", "'gelu'"), "name": ("None", "'head'"),
              "kernel_regularizer": ("None", "'l2'"), "bias_constraint": ("None", "'non_neg'"),
              "lora_rank": ("None", "4"), "trainable": ("True", "False")},
    "BatchNormalization": {"axis": ("-1", "1"), "momentum": ("0.99", "0.9"), "epsilon": ("1e-3", "1e-5"),
                           "center": ("True", "False"), "scale": ("True", "False"), "synchronized": ("False", "True"),
                           "renorm": ("False", "True")},
    "LayerNormalization": {"axis": ("-1", "1"), "epsilon": ("1e-3", "1e-6"), "center": ("True", "False"),
                           "scale": ("True", "False"), "gamma_constraint": ("None", "'non_neg'")},
    "MaxPooling2D": {"pool_size": ("2", "3"), "strides": ("None", "1"), "padding": ("'valid'", "'same'"),
                     "data_format": ("None", "'channels_first'")},
    "LSTM": {"return_sequences": ("False", "True"), "go_backwards": ("False", "True"), "unroll": ("False", "True"),
             "stateful": ("False", "True"), "recurrent_activation": ("'sigmoid'", "'hard_sigmoid'"),
             "activation": ("'tanh'", "'relu'"), "unit_forget_bias": ("True", "False"), "use_bias": ("True", "False")},
}
FIRST = {"Conv2D": "8, 3", "Dense": "8", "LSTM": "5"}
INPUT = {"Conv2D": "(9, 11, 4)", "MaxPooling2D": "(9, 11, 4)", "BatchNormalization": "(9, 11, 4)", "LSTM": "(7, 4)",
         "LayerNormalization": "(7, 4)"}
# changes nothing of what is computed
HARMLESS = {"name", "unroll", "synchronized", "unit_forget_bias"}


def _model(layer: str, arguments: dict[str, str]) -> str:
    given_ = ", ".join(filter(None, (FIRST.get(layer, ""), *(f"{k}={v}" for k, v in arguments.items()))))
    return ("import keras\nfrom keras import layers\n\n\ndef build():\n"
            f"    inputs = keras.Input({INPUT.get(layer, '(4,)')})\n"
            f"    x = layers.{layer}({given_})(inputs)\n"
            "    return keras.Model(inputs, x)\n")


CALLS = [(layer, name) for layer, arguments in LAYERS.items() for name in arguments]


@pytest.mark.parametrize(("layer", "name"), CALLS, ids=[".".join(c) for c in CALLS])
def test_an_argument_is_never_lost(layer: str, name: str) -> None:
    """Another value than the default changes the text, or is said."""
    default, other = (translate(_model(layer, {name: value}), "tf2torch") for value in LAYERS[layer][name])
    if name not in HARMLESS:
        assert other.text != default.text or set(other.findings) - set(default.findings), other.text


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(sorted(LAYERS)).flatmap(lambda layer: st.tuples(st.just(layer), st.fixed_dictionaries(
    {}, optional={k: st.sampled_from(v) for k, v in LAYERS[layer].items()}))))
def test_any_arguments_together(chosen: tuple[str, dict[str, str]]) -> None:
    result = translate(_model(*chosen), "tf2torch")
    ast.parse(result.text)
    assert not [f for f in result.findings if f.code == "P901"]


@pytest.mark.parametrize("layer", LAYERS)
def test_an_unknown_argument_is_refused(layer: str) -> None:
    result = translate(_model(layer, {"made_up": "3"}), "tf2torch")
    assert any(f.code.startswith("P2") and "made_up" in f.message for f in result.findings), result
