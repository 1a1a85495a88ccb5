"""The corpus benchmark: its manifest, its order, what is remembered, and what it writes; nothing is fetched here."""

from __future__ import annotations

import argparse
import ast
import math
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from corpus import entries, fetch, ported, results, run
from corpus.entries import Entry, Found
from port.verify import modules
from port.verify.inputs import read

MANIFEST, BUILDERS = entries.load()


def test_all_builders_are_listed_once() -> None:
    assert Counter(entry.side for entry in BUILDERS) == {"tf": 90, "torch": 122}
    assert max(Counter((entry.side, entry.name) for entry in BUILDERS).values()) == 1


@pytest.mark.parametrize("entry", BUILDERS, ids=lambda entry: f"{entry.side}-{entry.name}")
def test_an_entry_can_be_run(entry: Entry) -> None:
    package = MANIFEST["packages"][entry.package]
    assert len(package["sha256"]) == 64 and package["version"]
    name, call = modules.split(entry.call)
    assert bool(name) != bool(entry.file)
    ast.parse(call, mode="eval")
    assert read(entry.inputs)[0]
    needed = {*package.get("requires", ()), *package.get("with", ())}
    assert needed <= {*MANIFEST["requirements"], *MANIFEST["packages"]}


def test_small_packages_come_first() -> None:
    groups = entries.units(BUILDERS, MANIFEST["packages"])
    assert sum(map(len, groups)) == len(BUILDERS)
    order = [group[0].package for group in groups]
    assert order.index("bottleneck-transformer-pytorch") < order.index("timm") < order.index("transformers")


def test_a_package_is_translated_beside_its_other_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ported, "CACHE", tmp_path / "cache")
    tree = tmp_path / "source" / "net"
    tree.mkdir(parents=True)
    (tree / "__init__.py").write_text("from .model import f\n")
    (tree / "model.py").write_text("import tensorflow as tf\n\n\ndef f(x):\n    return tf.unheard_of(tf.abs(x))\n")
    (tree / "model_test.py").write_text("import tensorflow as tf\n\ntf.abs(1.0)\n")
    (tree / "words.txt").write_text("data")
    for number in range(2):
        port = ported.translate("net", tmp_path / "source", "tf2torch", (), 60)
        assert [f["code"] for f in port.findings["net/model.py"]] == ["P201"]
        assert (port.folder / "net/words.txt").read_text() == "data"
        assert "port: P201" in (port.folder / "net/model.py").read_text()
        assert (port.folder / "net/model_test.py").read_text().startswith("import tensorflow")
        if not number:
            (port.folder / "net/marker").touch()
    assert (port.folder / "net/marker").exists()  # the second time nothing was done


def test_a_builder_of_a_large_package_is_ported_with_what_it_imports(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    for name, text in {"__init__": "from .a import *\nfrom .b import *\n", "a": "from net import Conv\nimport torch\n",
                       "b": "import torch\n\n\nclass Conv: pass\n", "c": "import torch\n"}.items():
        (tmp_path / f"net/{name}.py").write_text(text)
    entry = Entry("net/A", "torch", "net", "net.a:A()", ("f32[1]",))
    assert entries.chosen(entry, tmp_path, {"apart": True}) == ("net/a.py", "net/b.py")
    assert entries.chosen(entry, tmp_path, {"only": ["net/"]}) == ("net/",)
    packages = {"net": {"apart": True, "lines": 1}}
    assert len(entries.units([entry, replace(entry, name="net/B")], packages)) == 2


def test_what_a_builder_rests_on(tmp_path: Path) -> None:
    for name in ("net", "net/sub", "other"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "__init__.py").write_text("")
    (tmp_path / "net/__init__.py").write_text("from . import extra\n")
    for name in ("net/extra.py", "net/sub/block.py", "net/sub/unused.py", "other/far.py"):
        (tmp_path / name).write_text("")
    (tmp_path / "net/sub/model.py").write_text("from .block import *\n")
    found = {str(p.relative_to(tmp_path)) for p in entries.closure(tmp_path / "net/sub/model.py")}
    assert found == {"net/__init__.py", "net/extra.py", "net/sub/__init__.py", "net/sub/block.py", "net/sub/model.py"}
    asked = ("import pathlib; from corpus import entries; "
             "print(*(p.name for p in entries.closure(pathlib.Path('net/sub/model.py'))))")
    path = os.pathsep.join(map(str, (ported.ROOT, ported.ROOT / "src")))
    orders = {subprocess.run([sys.executable, "-c", asked], cwd=tmp_path, check=True, capture_output=True, text=True,
                             env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path}).stdout for seed in "1234"}
    assert len(orders) == 1  # a digest that another process makes is the same


def test_finished_entries_are_remembered_until_something_changes(tmp_path: Path) -> None:
    entry, state = BUILDERS[0], entries.State(tmp_path / "state.json")
    digest = entries.key(entry, ["text"])
    found = Found("refused", None, {"P201": 2}, "a note", ("P201 why",))
    state.put(entry, digest, found)
    again = entries.State(tmp_path / "state.json")
    assert again.get(entry, digest) == found
    assert again.get(entry, entries.key(entry, ["other"])) is None


def test_a_run_that_is_over_tells_what_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ported, "CACHE", tmp_path / "cache")
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "__init__.py").write_text("")
    (tmp_path / "net" / "model.py").write_text("import tensorflow as tf\n\n\ndef f(x):\n    return tf.abs(x)\n")
    monkeypatch.setattr(fetch, "tree", lambda *_: tmp_path)
    verified = entries.Found("verified", 0.0)
    monkeypatch.setattr(run, "examine", lambda *_: verified)
    monkeypatch.setattr(run.probe, "run", lambda *_: {})
    manifest = {"packages": {"net": {"lines": 5}}, "requirements": {}}
    state = entries.State(tmp_path / "state.json")
    one, other = (Entry(f"net/{n}", "tf", "net", f"net.model:f{n}()", ("f32[2]",)) for n in ("", "_again"))

    def told(group: list[Entry], end: float) -> dict[str, str]:
        found: dict[str, str] = {}
        given = argparse.Namespace(end=end, timeout=60)
        run.unit(group, manifest, state, given, lambda entry, about: found.update({entry.name: about.verdict}))
        return found

    assert told([one, other], 0) == {"net/": "not run", "net/_again": "not run"}
    assert not (tmp_path / "cache").exists()  # nothing was translated either
    assert told([one], math.inf) == {"net/": "verified"}
    assert told([one, other], 0) == {"net/": "verified", "net/_again": "not run"}


def test_a_mismatch_without_a_finding_is_shown_apart() -> None:
    pair = [(BUILDERS[0], Found("SILENT", 0.5)),
            (BUILDERS[1], Found("refused", None, {"P201": 3}, "x | y", ("P201 a",)))]
    text = results.summary(Counter((e.side, f.verdict) for e, f in pair))
    assert "mismatch without a finding" in text and "| 0 | 1 | 0 | 1 | 0 |" in text
    assert results.reasons(pair)[-1] == "| 1 | P201 a |"
    assert "x / y" in results.table(pair)[-1] and "P201 x3" in results.table(pair)[-1]
