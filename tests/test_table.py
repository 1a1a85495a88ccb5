"""Loading rows: grammar, checks, cache and look-up."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from port import rowfile, sample, table
from port.rowtext import RowError


@pytest.fixture
def mappings(tmp_path, monkeypatch):
    """An empty folder of rows and an empty cache; the caches in memory are cleared."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(table, "folder", lambda: tmp_path)
    table._compiled_with.cache_clear()
    table._row.cache_clear()
    yield tmp_path
    table._compiled_with.cache_clear()
    table._row.cache_clear()


def compiled(text: str) -> list[dict]:
    return rowfile.compile_rows({"ops.yaml": text})["rows"]


def test_all_rows_load():
    rows = table.load()
    assert "reduce_sum" in rows
    assert table.by_tf_name()["tf.math.reduce_sum"][0].name == "reduce_sum"
    assert table.by_torch_name()["torch.exp"][0].name == "exp"


def test_files_are_short():
    for path in table.folder().glob("*.yaml"):
        assert len(path.read_text().splitlines()) <= 300, path.name


def test_other_spellings_use_their_own_names():
    rows = table.by_tf_name()["keras.ops.sum"]
    assert rows[0].args["x"].to == "input"
    assert rows[0].args["axis"].of == "x"
    assert all("x" in s for s in rows[0].sample)


def test_prefix_rows_hold_for_what_has_no_row():
    assert table.by_tf_name()["tf.strings.lower"][0].none
    assert "tf.strings.lower" in table.by_tf_name()
    assert table.by_tf_name().get("tf.no_such_thing") is None


def test_names_of_tf_1():
    assert table.by_tf_name()["tf.log"][0].name == "log"


def test_cache_gives_the_same_rows(mappings: Path):
    text = "exp: {tf: tf.exp(x), torch: torch.exp(input), args: {x: input}}"
    (mappings / "ops.yaml").write_text(text)
    fresh = table.load()["exp"]
    table._compiled_with.cache_clear()
    table._row.cache_clear()
    assert list((mappings / "cache" / "port").glob("*.marshal"))
    assert table.load()["exp"] == fresh


def test_changed_files_are_seen(mappings: Path):
    (mappings / "ops.yaml").write_text("exp: {tf: tf.exp(x), torch: torch.exp(input), args: {x: input}}")
    assert set(table.load()) == {"exp"}
    (mappings / "ops.yaml").write_text("log: {tf: tf.log(x), torch: torch.log(input), args: {x: input}}")
    table._compiled_with.cache_clear()
    assert set(table.load()) == {"log"}


@pytest.mark.parametrize("junk", [b"", b"junk"])
def test_a_damaged_cache_is_made_anew(mappings: Path, junk: bytes):
    (mappings / "ops.yaml").write_text("exp: {tf: tf.exp(x), torch: torch.exp(input), args: {x: input}}")
    table.load()
    for file in (mappings / "cache" / "port").glob("*.marshal"):
        file.write_bytes(junk)
    table._compiled_with.cache_clear()
    assert set(table.load()) == {"exp"}


def test_a_cache_that_cannot_be_written_is_no_fault(mappings: Path, monkeypatch):
    (mappings / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(mappings / "file"))
    (mappings / "ops.yaml").write_text("exp: {tf: tf.exp(x), torch: torch.exp(input), args: {x: input}}")
    assert set(table.load()) == {"exp"}


FAULTS = {
    "exp: {tf: 'tf.exp(x, name=None)', torch: torch.exp(input), args: {x: input}}": "parameter 'name' of tf.exp",
    "exp: {tf: tf.exp(x), torch: 'torch.exp(input, out)', args: {x: input}}": "parameter 'out' of torch.exp",
    "exp: {tf: tf.exp(x), torch: torch.exp(input), args: {x: input, y: input}}": "no TF signature has a parameter y",
    "exp: {tf: tf.exp(x), torch: torch.exp(input), args: {x: put}}": "'input' of torch.exp is not accounted for",
    "exp: {tf: tf.exp(x), args: {x: input}}": "leads nowhere",
    "exp: {tf: tf.exp(x), expr: {torch: x + y}}": "tf.exp has no parameter y",
    "exp: {tf: tf.exp(x), expr: {torch: 'torch.exp('}}": "expression",
    "exp: {tf: 'tf.exp(x', expr: {torch: x}}": "signature 'tf.exp(x'",
    "exp: {tf: tf.exp(x), expr: {torch: x}, colour: red}": "unknown key colour",
    "exp: {tf: tf.exp(x), expr: {torch: x}}\nexp: {tf: tf.exp(x), expr: {torch: x}}": "defined twice",
    "exp: [": "ops.yaml",
}


@pytest.mark.parametrize("text", FAULTS)
def test_faults_name_file_and_row(text: str):
    with pytest.raises(RowError, match=re.escape(FAULTS[text])) as caught:
        compiled(text)
    assert str(caught.value).startswith("ops.yaml: ")


def test_all_faults_are_told_at_once():
    with pytest.raises(RowError) as caught:
        compiled("a: {tf: tf.a(x)}\nb: {tf: tf.b(x)}")
    assert len(str(caught.value).splitlines()) == 2


def test_braces_make_several_names():
    [row] = compiled("exp: {tf: 'tf.{,math.}exp(x)', torch: torch.exp(input), args: {x: input}}")
    assert [s[0] for s in row["tf"]] == ["tf.exp", "tf.math.exp"]


def test_later_rows_of_a_list_take_over_the_signature():
    rows = compiled("""
sort:
- {tf: 'tf.sort(x, up=True)', only: {up: [true]}, torch: torch.sort(input), args: {x: input}}
- {only: {up: [false]}, expr: {torch: torch.sort(x).flip(0)}}
""")
    assert [row["tf"][0][0] for row in rows] == ["tf.sort", "tf.sort"]


def test_a_spelling_without_a_parameter_gets_only_rows_of_its_default():
    rows = compiled("""
gelu:
- {tf: ['tf.gelu(x, tanh=False)', 'keras.gelu(x)'], only: {tanh: [false]}, torch: F.gelu(input), args: {x: input}}
- {only: {tanh: [true]}, expr: {torch: F.tanh_gelu(x)}}
""")
    assert [s[0] for s in rows[1]["tf"]] == ["tf.gelu"]


def test_renaming_reaches_expressions_and_facts():
    _, row = compiled("sub: {tf: ['tf.sub(x, y)', 'keras.sub(y: x, x: y)'], expr: {torch: x - y}, facts: [plain(x)]}")
    assert row["expr"]["torch"] == "y - x"
    assert row["facts"] == ("plain(y)",)


def test_each_makes_all_combinations():
    [row] = compiled("f: {tf: 'tf.f(x, a=0, b=0)', expr: {torch: x + a + b},"
                     " sample: {x: 'f32[2]', a: {each: [1, 2]}, b: {each: [3, 4]}}}")
    assert len(row["sample"]) == 4


def test_samples():
    assert sample.array(sample.parse("i32[5]<3"), "s").max() < 3
    assert sample.array(sample.parse("f32+[2,3]"), "s").min() > 0
    assert sample.parse("valid") is None
    first, second = (sample.array(sample.parse("f32[2,3]"), seed) for seed in ("a", "a"))
    assert (first == second).all()


def test_yaml_has_no_unquoted_traps():
    """`yes`, `no` and `on` are booleans in YAML 1.1: none may be meant as a name."""
    for path in table.folder().glob("[!_]*.yaml"):
        for name in yaml.safe_load(path.read_text()):
            assert isinstance(name, str), f"{path.name}: {name!r}"


def test_no_row_says_that_there_is_nothing_where_another_has_it() -> None:
    """Rows under two names for one symbol: which comes first would depend on the names of their files."""
    for index in (table.by_tf_name(), table.by_torch_name()):
        for symbol in index:
            rows = index[symbol]
            assert len({row.name for row in rows}) == 1 or not any(row.none for row in rows), symbol
