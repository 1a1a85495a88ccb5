"""Break a correct port in one place: verify must notice, and name the layer. One recording per source file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from port.verify.parent import Case, Settings, verify

GOLDEN = Path(__file__).parent / "golden" / "tf2torch"
FOLDERS = {
    "functional_resnet": Case("build_resnet((37, 44, 3), 7)", ("f32[2,37,44,3]",)),
    "rnn_masking": Case("build_classifier(17)", ("i32[2,9]<17",)),
    "subclass_transformer": Case("TinyDecoder(13, 9, 16, 4, 16, 2)", ("i32[2,7]<13",)),
    "gan_gradient_tape": Case("make_generator()"),
}


@dataclass(frozen=True)
class Break:
    """Replace `old` by `new` in the port of `folder`; the verdict's text must contain `names`."""

    name: str
    folder: str
    old: str
    new: str
    names: tuple[str, ...]


BREAKS = [
    Break("epsilon", "functional_resnet", "self.stem_bn = nn.BatchNorm2d(8, momentum=0.01, eps=1e-3)",
          "self.stem_bn = nn.BatchNorm2d(8, momentum=0.01, eps=1e-5)", ("stem_bn",)),
    Break("epsilon of a block", "functional_resnet", "eps=BN_EPSILON", "eps=1e-3", ("batch_normalization", "bn")),
    Break("momentum not inverted", "functional_resnet", "momentum=0.01, eps=1e-3", "momentum=0.99, eps=1e-3",
          ("stem_bn", "buffers")),
    Break("swapped axis", "functional_resnet", "inputs.permute(0, 3, 1, 2)", "inputs.permute(0, 3, 2, 1)",
          ("stem_conv",)),
    Break("symmetric padding", "functional_resnet", "super().forward(F.pad(x, (left, right, top, bottom)))",
          "super().forward(F.pad(x, (right, left, bottom, top)))", ("conv",)),
    Break("pooling padding", "functional_resnet", "x = F.pad(x, same_padding(x, (3, 3), (2, 2)), value=-math.inf)\n"
          "        x = F.max_pool2d(x, kernel_size=3, stride=2)",
          "x = F.max_pool2d(x, kernel_size=3, stride=2, padding=1)", ("between", "stem_bn")),
    Break("dropped bias", "functional_resnet", "nn.Linear(24, num_classes)", "nn.Linear(24, num_classes, bias=False)",
          ("predictions",)),
    Break("detached branch", "functional_resnet", "x = x + shortcut\n", "x = x + shortcut.detach()\n",
          ("gradients",)),
    Break("missing transpose of a square kernel", "subclass_transformer", "            nn.Linear(ff_dim, embed_dim),",
          "            Swapped(ff_dim, embed_dim),", ("Dense", "Swapped")),
    Break("all-ones mask", "subclass_transformer", "padding_mask = torch.ne(inputs, PAD_ID)[:, None, :]",
          "padding_mask = torch.ones_like(inputs, dtype=torch.bool)[:, None, :]", ("MultiHeadAttention",)),
    Break("layer norm epsilon", "subclass_transformer", "self.norm2 = nn.LayerNorm(embed_dim, eps=1e-3)",
          "self.norm2 = nn.LayerNorm(embed_dim)", ("norm2",)),
    Break("no mask", "rnn_masking", "mask = inputs != 0", "mask = inputs != -1", ("Embedding", "GRU")),
    Break("second bias trains", "rnn_masking", "param.requires_grad_(False)", "pass", ("bias_hh_l0", "twice")),
    Break("output instead of state", "rnn_masking", "self.dense(x[-1])", "self.dense(x.flip(0)[-1].roll(1, -1))",
          ("dense",)),
    Break("slope", "gan_gradient_tape", "model.append(nn.LeakyReLU(0.3))\n\n    model.append(nn.Unflatten",
          "model.append(nn.LeakyReLU(0.2))\n\n    model.append(nn.Unflatten", ("between",)),
    Break("crop at the wrong end", "gan_gradient_tape", "nn.ZeroPad2d((0, -1, 0, -1))", "nn.ZeroPad2d((-1, 0, -1, 0))",
          ("conv2d_transpose", "batch_normalization")),
]
SWAPPED = '''

class Swapped(nn.Linear):
    def forward(self, x):
        return F.linear(x, self.weight.T, self.bias)


import torch.nn.functional as F
PAD_ID = 0
'''


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recorded")
    for name, case in FOLDERS.items():
        source = GOLDEN / name / "tf_version.py"
        verify(source, source, "tf2torch", [case],
               Settings(dtypes=("float64",), record=str(folder / f"{name}.npz")))
    return folder


def _verify(folder: str, text: str, recordings: Path, tmp_path: Path):
    ported = tmp_path / "torch_version.py"
    ported.write_text(text)
    settings = Settings(dtypes=("float64",), against=str(recordings / f"{folder}.npz"))
    (verdict,) = verify(ported, ported, "tf2torch", None, settings)
    return verdict


@pytest.mark.parametrize("folder", FOLDERS)
def test_unbroken(folder: str, recordings: Path, tmp_path: Path) -> None:
    verdict = _verify(folder, (GOLDEN / folder / "torch_version.py").read_text(), recordings, tmp_path)
    assert verdict.status == "verified", verdict.message


@pytest.mark.parametrize("broken", BREAKS, ids=lambda b: b.name)
def test_caught(broken: Break, recordings: Path, tmp_path: Path) -> None:
    text = (GOLDEN / broken.folder / "torch_version.py").read_text()
    assert broken.old in text
    text = text.replace(broken.old, broken.new).replace("\n\nPAD_ID = 0\n", SWAPPED)
    verdict = _verify(broken.folder, text, recordings, tmp_path)
    print(verdict.message, verdict.where)
    assert verdict.status == "mismatch", verdict
    for name in broken.names:
        assert name in verdict.message, verdict.message
