"""The golden PyTorch sources, by port: only training code is refused, and the rest agrees with the source."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import pytest
from oneline import oneline

from port.findings import CATALOGUE
from port.result import Result
from port.translate import translate
from port.verify.cases import Case
from port.verify.parent import Verdict, verify

GOLDEN = Path(__file__).parent / "golden" / "torch2tf"
FRAMEWORKS = all(find_spec(name) for name in ("tensorflow", "torch", "einops"))

CASES: dict[str, list[Case]] = {
    "resnet_class": [
        Case("resnet_small(num_classes=7, in_channels=5, width=4, zero_init_residual=True)", ("f32[3,5,37,50]",)),
        Case("resnet_deep(num_classes=11, in_channels=2, width=3)", ("f32[3,2,37,50]",))],
    "vit_einops": [
        Case(f"ViT(image_size=(24, 32), patch_size=8, num_classes=5, dim=24, depth=2, heads={heads}, mlp_dim=40, "
             f"pool='{pool}', dim_head=24)", ("f32[2,3,24,32]",)) for heads, pool in ((3, "cls"), (1, "mean"))],
    "gpt": [Case(f"GPT(GPTConfig(block_size=9, vocab_size=23, n_layer=2, n_head=3, n_embd=12, flash={flash}))",
                 ("i64[4,7]<23",)) for flash in (True, False)],
    "unet_gan": [Case("UNetGenerator(ngf=4)", ("f32[2,3,29,38]",)),
                 Case("PatchDiscriminator(ndf=4)", ("f32[2,3,29,38]", "f32[2,3,29,38]"))],
    "vae_training": [Case("VAE(17, 11, 3)", ("f32[4,17]",))],
    "rnn_seq2seq": [
        Case("Encoder(11, 6, 7)", ("i64[3,9]<11", "i64(2,10)[3]")),
        Case("Decoder(11, 6, 8, 7)", ("i64[3]<11", "f32[3,7]", "f32[3,5,8]", "b[3,5]")),
        Case("AdditiveAttention(8, 7, 6)", ("f32[3,7]", "f32[3,5,8]", "b[3,5]"))],
    "tensor_methods": [
        Case("lambda x: split_heads(x, 3)", ("f32[2,5,12]",)), Case("merge_heads", ("f32[2,3,5,4]",)),
        Case("outer_sum", ("f32[2,3]", "f32[2,5]")), Case("lambda x: tile_and_repeat(x, 3)", ("f32[2,5]",)),
        Case("lambda x: channel_shuffle(x, 2)", ("f32[2,6,3,5]",)), Case("two_halves", ("f32[3,4]",)),
        Case("pick_logits", ("f32[2,3,7]", "i64[2,3]<7")), Case("select_columns", ("f32[3,7]", "i64[4]<7")),
        Case("corners", ("f32[2,5,7]",)), Case("masked_softmax", ("f32[3,7]", "i64(2,8)[3]")),
        Case("standardise", ("f32[3,5,7]",)),
        Case("spread", ("f32[3,5]",)), Case("relu_parts", ("f32[3,5]",)),
        Case("bilinear_scores", ("f32[2,3,5]", "f32[5,7]", "f32[2,4,7]")),
        Case("cosine_matrix", ("f32[2,3,5]", "f32[2,4,5]")), Case("lambda x: pad_to(x, 9)", ("f32[2,3,7]",)),
        Case("lambda i: label_smoothing(i, 5)", ("i64[4]<5",))],
}
# What is left to a person: codes, in the order of the source. All of it is training, or a write into an argument.
REFUSED: dict[str, list[str]] = {
    "resnet_class": [], "vit_einops": [], "gpt": [], "unet_gan": [], "rnn_seq2seq": [],
    "tensor_methods": ["P203"],  # ema_ changes the caller's tensor
    "vae_training": ["P205", "P203", "P205", "P206"],
}


def _translated(name: str) -> Result:
    return translate((GOLDEN / name / "torch_version.py").read_text(encoding="utf-8"), "torch2tf", path=name)


def _verified(name: str, folder: Path) -> list[Verdict]:
    ported = folder / f"{name}.py"
    ported.write_text(_translated(name).text, encoding="utf-8")
    return verify(GOLDEN / name / "torch_version.py", ported, "torch2tf", CASES[name])


@pytest.fixture(scope="module")
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
            ) -> Iterator[dict[str, Future[list[Verdict]]]]:
    """All selected files, as many at a time as there are cores."""
    folder = tmp_path_factory.mktemp("ported")
    chosen = [getattr(getattr(item, "callspec", None), "params", {}) for item in request.session.items]
    wanted = {params["verified"] for params in chosen if "verified" in params}
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        yield {name: pool.submit(_verified, name, folder) for name in CASES if name in wanted}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_nothing_but_training(name: str) -> None:
    found = [f.code for f in _translated(name).findings if CATALOGUE[f.code].outcome.needs_person]
    assert found == REFUSED[name]


@pytest.mark.skipif(not FRAMEWORKS, reason="needs TensorFlow, PyTorch and einops")
@pytest.mark.parametrize("verified", CASES)
def test_verified(verified: str, running: dict[str, Future[list[Verdict]]]) -> None:
    found = running[verified].result()
    assert len(found) == len(CASES[verified])
    wrong = [f"{v.case.call}: {v.status}: {v.message}" for v in found if v.status != "verified"]
    assert not wrong, "\n".join(wrong)


def test_reads_as_the_golden_text() -> None:
    """Line for line but for what these say: where PyTorch's initial values stand, and how long lines are broken."""
    own = oneline(_translated("unet_gan").text).splitlines()
    golden = oneline((GOLDEN / "unet_gan" / "tf_version.py").read_text(encoding="utf-8")).splitlines()
    assert sum(line in golden for line in own if line.strip()) / sum(bool(line.strip()) for line in own) > 0.85
