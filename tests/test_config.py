"""`[tool.port]` in pyproject.toml."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from port import config


def test_found_upwards_and_only_what_was_given(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('''
[tool.port]
layout = "native"
exclude = "old"
[[tool.port.cases]]
file = "models/a.py"
call = "f()"
input = ["f32[2]"]
[[tool.port.cases]]
file = "models/b.py"
call = "g()"
''')
    (tmp_path / "models" / "deep").mkdir(parents=True)
    (tmp_path / "models" / "pyproject.toml").write_text("[project]\nname = 'inner'\n")
    found = config.load(tmp_path / "models" / "deep")
    assert found.options == {"layout": "native"} and found.exclude == ("old",)
    assert found.cases_for(tmp_path / "models" / "a.py") == [{"call": "f()", "input": ["f32[2]"]}]
    assert found.cases_for(tmp_path / "a.py") == []


def test_overrides_of_files(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('''
[tool.port]
init = "keep"
layout = "native"
[[tool.port.overrides]]
files = ["models/*.py", "old"]
init = "framework"
[[tool.port.overrides]]
files = "models/keras_*.py"
target = "keras"
layout = "preserve"
''')
    found = config.load(tmp_path)
    whole = {"init": "keep", "layout": "native"}
    assert found.options_for(tmp_path / "a.py") == whole
    assert found.options_for(tmp_path / "models" / "a.py") == whole | {"init": "framework"}
    assert found.options_for(tmp_path / "old" / "deep" / "a.py") == whole | {"init": "framework"}
    assert found.options_for(tmp_path / "models" / "keras_a.py") == {"init": "framework", "layout": "preserve",
                                                                      "target": "keras"}
    assert found.options_for(tmp_path.parent / "models" / "a.py") == whole


def test_no_configuration(tmp_path: Path) -> None:
    assert config.load(tmp_path).cases_for(tmp_path / "a.py") == []


@pytest.mark.parametrize(("text", "word"), [
    ("[tool.port]\nlayuot = 'native'", "did you mean 'layout'"),
    ("[tool.port]\nlayout = 'odd'", "must be one of"),
    ("[tool.port]\nexclude = 1", "list of strings"),
    ("[[tool.port.cases]]\nfile = 'a.py'", "`call` must be given"),
    ("[[tool.port.overrides]]\ninit = 'keep'", "`files` must say which files"),
    ("[[tool.port.overrides]]\nfiles = ['a.py']\nint = 'keep'",
     "tool.port.overrides: unknown key 'int'; did you mean 'init'"),
    ("[[tool.port.overrides]]\nfiles = ['a.py']\ninit = 'odd'", "tool.port.overrides.init must be one of"),
    ("[tool.port]\noverrides = ['a.py']", "must be written as [[tool.port.overrides]]"),
    ("[tool]\nport = 1", "must be a table"),
    ("[tool", "pyproject.toml"),
])
def test_faults_are_named(tmp_path: Path, text: str, word: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(config.ConfigProblem, match=re.escape(word)):
        config.load(tmp_path)
