"""Every example of the corpus, translated and verified with all its cases; one pair of processes per file."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
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
# what may be left to a person: training, and what has no counterpart
REFUSED = {"cnn.py": {"compile", "fit"}, "lstm_text.py": {"compile", "fit"},
           "mlp.py": {"kernel_regularizer", "summary"}, "tcn.py": {"summary"}, "wide_deep.py": {"summary"}}
# what is found where no case is given
FOUND = {"autoencoder.py": ["build_encoder()", "build_decoder()", "build_autoencoder()"], "mlp.py": ["build_mlp()"]}


def _cases() -> dict[str, list[Case]]:
    found: dict[str, list[Case]] = {}
    for entry in tomllib.loads((FOLDER / "cases.toml").read_text(encoding="utf-8"))["cases"]:
        found.setdefault(entry.pop("file"), []).append(as_case(entry))
    return found


CASES = _cases()


def _translated(name: str) -> Result:
    return translate((FOLDER / name).read_text(encoding="utf-8"), "tf2torch", path=name)


def _verified(name: str, cases: list[Case] | None, folder: Path) -> list[Verdict]:
    ported = folder / name
    ported.write_text(_translated(name).text, encoding="utf-8")
    return verify(FOLDER / name, ported, "tf2torch", cases)


@pytest.fixture(scope="module")
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
            ) -> Iterator[dict[str, Future[list[Verdict]]]]:
    """All selected files, as many at a time as there are cores."""
    folder = tmp_path_factory.mktemp("ported")
    chosen = [getattr(getattr(item, "callspec", None), "params", {}) for item in request.session.items]
    wanted = {params["verified"] for params in chosen if "verified" in params}
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        yield {name: pool.submit(_verified, name, CASES[name], folder) for name in CASES if name in wanted}
        pool.shutdown(cancel_futures=True)


def test_every_example_has_a_case() -> None:
    assert set(CASES) == {path.name for path in FOLDER.glob("*.py")}


@pytest.mark.parametrize("name", CASES)
def test_refuses_nothing_but_training(name: str) -> None:
    for finding in _translated(name).findings:
        if CATALOGUE[finding.code].outcome.needs_person:
            assert finding.code == "P205" and any(word in finding.message for word in REFUSED.get(name, ())), finding


@pytest.mark.skipif(not FRAMEWORKS, reason="needs TensorFlow and PyTorch")
@pytest.mark.parametrize("verified", CASES)
def test_verified(verified: str, running: dict[str, Future[list[Verdict]]]) -> None:
    found = running[verified].result()
    assert len(found) == len(CASES[verified])
    wrong = [f"{v.case.call}: {v.status}: {v.message}" for v in found if v.status != "verified"]
    assert not wrong, "\n".join(wrong)


@pytest.mark.skipif(not FRAMEWORKS, reason="needs TensorFlow and PyTorch")
@pytest.mark.parametrize("name", FOUND)
def test_cases_are_found(name: str, tmp_path: Path) -> None:
    found = _verified(name, None, tmp_path)
    assert [(v.case.call, v.status) for v in found] == [(call, "verified") for call in FOUND[name]], [
        v.message for v in found]
