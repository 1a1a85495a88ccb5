"""port's own translation of the golden sources: it refuses only training code, and the rest agrees with the source."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import pytest

from port.findings import CATALOGUE
from port.result import Result
from port.translate import translate
from port.verify.cases import Case
from port.verify.parent import Verdict, verify

GOLDEN = Path(__file__).parent / "golden" / "tf2torch"
FRAMEWORKS = all(find_spec(name) for name in ("tensorflow", "torch"))

# Those of each check.py. For a source without cases here, its builders that need no arguments are found.
CASES: dict[str, list[Case]] = {
    "functional_resnet": [Case("build_resnet((37, 44, 3), 7)", ("f32[4,37,44,3]",)),
                          Case("build_resnet((40, 51, 5), 6)", ("f32[3,40,51,5]",))],
    "functional_toplevel_unet": [Case("model")],
    "gan_gradient_tape": [Case("make_generator()"), Case("make_discriminator()")],
    "rnn_masking": [Case("build_classifier(17)", ("i32[4,9]<17",))],
    "sequential_mnist": [Case("build_model()")],
    "subclass_transformer": [Case("TinyDecoder(13, 9, 16, 4, 22, 2)", ("i32[2,7]<13",)),
                             Case("TokenAndPositionEmbedding(9, 13, 8)", ("i32[2,7]<13",)),
                             Case("LayerScale(0.3)", ("f32[2,7,5]",)),
                             Case("TransformerBlock(12, 3, 10)", ("f32[2,7,12]",))],
    "tf_ops_function": [
        Case("standardise", ("f32[2,5,4,3]",)), Case("spread", ("f32[2,3,4]",)), Case("spread", ("f32[3,2,5,4]",)),
        Case("batch_stats", ("f32[2,3,4]",)), Case("unit_vectors", ("f32[4,3]",)),
        Case("zero_bad_values", ("f32[3,4]",)), Case("select_beams", ("f32[2,5,3]", "i64[2,4]<5")),
        Case("smooth_labels", ("i64[3]<5", "f32[3,5]")), Case("smooth_labels", ("i64[2,3]<5", "f32[2,3,5]")),
        Case("masked_mean", ("f32[3,5,2]", "b[3,5]")), Case("masked_mean", ("f32[7,2]", "b[7]")),
        Case("lambda t, r: write_rows(t, tf.constant([4, 0, 3, 1]), r)", ("f32[6,3]", "f32[4,3]"), "write_rows",
             "lambda t, r: write_rows(t, torch.tensor([4, 0, 3, 1]), r)"),
        Case("attention_weights", ("f32[2,3,4,5]", "f32[2,6,4,5]")), Case("starts", ("f32[2,5,3]",)),
        Case("lambda s: best_scores(s, 4)", ("f32[3,7]",)), Case("frame", ("f32[2,4,3]",)),
        Case("strides", ("f32[2,7,5]",)), Case("merge_time", ("f32[2,3,4,5]",)),
        Case("flip_if_negative", ("f32(-2,0.5)[3,4]",)), Case("flip_if_negative", ("f32(-0.5,2)[3,4]",)),
        Case("shrink", ("f32[3,4]",)), Case("center_rows", ("f32[4,3]",)),
        Case("lambda x: totals(x, tf.constant([0, 0, 1, 3, 3, 3]))", ("f32[6,2,3]",), "totals",
             "lambda x: totals(x, torch.tensor([0, 0, 1, 3, 3, 3]))"),
        Case("thumbnails", ("f32[2,11,8,3]",)), Case("thumbnails", ("f32[2,3,4,3]",)),
        Case("distillation_loss", ("f32[2,4,5]", "f32[2,4,5]"))],
}
# What is left to a person: words of the findings, in the order of the source. All of it is training, or strings.
REFUSED: dict[str, list[str]] = {
    "functional_resnet": [], "functional_toplevel_unet": [], "rnn_masking": [], "subclass_transformer": [],
    "gan_gradient_tape": ["Adam", "Adam", "gradient tape", *["trainable_variables"] * 4, "tf.data"],
    "sequential_mnist": ["kernel_regularizer", "SGD", "EarlyStopping", "evaluate"],
    "tf_ops_function": ["tf.strings.regex_replace"],
}
# Divergences that must be said: code and a word of the message.
SAID: dict[str, set[tuple[str, str]]] = {
    "functional_resnet": {("P101", "running variance")}, "gan_gradient_tape": {("P101", "running variance")},
}


def _translated(name: str) -> Result:
    return translate((GOLDEN / name / "tf_version.py").read_text(encoding="utf-8"), "tf2torch")


def _verified(name: str, folder: Path) -> list[Verdict]:
    ported = folder / f"{name}_port.py"
    ported.write_text(_translated(name).text, encoding="utf-8")
    return verify(GOLDEN / name / "tf_version.py", ported, "tf2torch", CASES[name])


@pytest.fixture(scope="module")
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
            ) -> Iterator[dict[str, Future[list[Verdict]]]]:
    """All selected files, as many at a time as there are cores."""
    folder = tmp_path_factory.mktemp("ported")
    chosen = [getattr(getattr(item, "callspec", None), "params", {}) for item in request.session.items]
    wanted = {params["golden"] for params in chosen if "golden" in params}
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        yield {name: pool.submit(_verified, name, folder) for name in CASES if name in wanted}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("name", CASES)
def test_findings(name: str) -> None:
    found = _translated(name).findings
    left = [f for f in found if CATALOGUE[f.code].outcome.needs_person]
    assert len(left) == len(REFUSED[name]), left
    assert all(word in f.message for word, f in zip(REFUSED[name], left, strict=True)), left
    for code, word in SAID.get(name, ()):
        assert any(f.code == code and word in f.message for f in found), found


@pytest.mark.skipif(not FRAMEWORKS, reason="needs TensorFlow and PyTorch")
@pytest.mark.parametrize("golden", CASES)
def test_verified(golden: str, running: dict[str, Future[list[Verdict]]]) -> None:
    found = running[golden].result()
    assert len(found) == len(CASES[golden])
    wrong = [f"{v.case.call}: {v.status}: {v.message}" for v in found if v.status != "verified"]
    assert not wrong, "\n".join(wrong)
