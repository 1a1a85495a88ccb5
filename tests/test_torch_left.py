"""Methods that cannot be ported stay in PyTorch, marked, while their class is ported, if it can do without."""

from __future__ import annotations

from pathlib import Path

import pytest
from proving import agree

from port.translate import translate
from port.verify.parent import Case

SOURCE = '''import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, width=6):
        super().__init__()
        self.conv = nn.Conv2d(3, width, 3)
        self.fc = nn.Linear(width, 2)

    def fit(self, data):
        """Train."""
        optimizer = torch.optim.Adam(self.parameters())
        for x, y in data:
            nn.functional.cross_entropy(self(x), y).backward()
            optimizer.step()

    def study(self, data):
        return self.fit(data)

    def features(self, x):
        return torch.relu(self.conv(x)).mean((2, 3))

    def forward(self, x):
        return self.fc(self.features(x))
'''


def test_a_method_that_cannot_be_ported_stays_with_its_reason_and_its_imports() -> None:
    result = translate(SOURCE, "torch2tf")
    text = result.text
    assert "class Net(keras.Model):" in text and "def call(self, x):" in text
    assert text.startswith("import keras\nimport tensorflow as tf\nfrom keras import initializers, layers\n\n")
    above, body = text[text.index("# port: P205"):].split("    def fit(self, data):\n")
    assert above.count("\n") == 1
    assert body.startswith('        """Train."""\n        from torch import nn\n        import torch\n'
                           "        optimizer = torch.optim.Adam(self.parameters())\n")
    assert "    # port: P206 it uses `fit`, which is not ported\n    def study(self, data):\n" in text
    assert sorted((f.line, f.code) for f in result.findings) == [(13, "P205"), (18, "P206"), (21, "P103")]
    assert translate(text, "torch2tf").text == text


def test_what_forward_and_the_constructor_use_refuses_the_class() -> None:
    for line in ("        return self.fc(self.features(x) + self.study(x))\n",):
        text = translate(SOURCE.replace("        return self.fc(self.features(x))\n", line), "torch2tf").text
        assert "class Net(nn.Module):" in text and "keras" not in text, text
    used = SOURCE.replace("        self.fc = nn.Linear(width, 2)\n", "        self.fc = nn.Linear(width, 2)\n"
                          "        self.hook = self.fit\n")
    assert "class Net(nn.Module):" in translate(used, "torch2tf").text


def test_what_uses_such_a_method_elsewhere_stays_as_well() -> None:
    more = SOURCE + '''

class Deep(Net):
    def study(self, data):
        return super().fit(data)

    def forward(self, x):
        return self.fc(self.features(x)) * 2


def train(data):
    model = Net()
    model.study(data)
    return model
'''
    text = translate(more, "torch2tf").text
    assert "class Deep(Net):\n    # port: P206 it uses `fit`, which is not ported\n    def study(self, data):" in text
    assert "# port: P206 it uses `study`, which is not ported\ndef train(data):\n" in text


def test_a_method_in_the_place_of_one_that_is_used_refuses_its_class_alone() -> None:
    more = SOURCE + '''

class Trained(Net):
    def features(self, x):
        torch.optim.SGD(self.parameters(), 0.1).step()
        return x
'''
    text = translate(more, "torch2tf").text
    assert "class Net(keras.Model):" in text or "class Net(layers.Layer):" in text
    assert "# port: P205 `torch.optim.SGD` belongs" in text
    assert "\n    def features(self, x):\n        torch.optim" in text


def test_methods_that_decide_how_a_module_computes_never_stay() -> None:
    for name in ("train", "__getattr__", "build", "__call__"):
        text = translate(SOURCE.replace("def fit(self", f"def {name}(self"), "torch2tf").text
        assert "class Net(nn.Module):" in text, name


def test_a_method_that_uses_what_is_not_ported_stays_alone() -> None:
    more = SOURCE.replace("return self.fit(data)", "return make(self)") + '''

def make(model):
    return torch.optim.Adam(model.parameters())
'''
    text = translate(more, "torch2tf").text
    assert "class Net(keras.Model):" in text
    assert "    # port: P206 it uses `make`, which is not ported\n    def study(self, data):\n" in text


def test_a_class_with_such_methods_has_the_numbers_of_its_source(tmp_path: Path) -> None:
    agree(tmp_path, SOURCE, translate(SOURCE, "torch2tf").text, "torch2tf", [Case("Net()", ("f32[2,3,5,7]",))])


def test_a_name_that_is_imported_under_another_is_no_use_of_the_function_called_so() -> None:
    """timm's `_fx.py`: the guarded import came back unguarded, and the package could not be imported."""
    text = translate('''import torch
from torch import nn

try:
    from torchvision.models.feature_extraction import create_feature_extractor as _create
    has_fx = True
except ImportError:
    has_fx = False


def create_feature_extractor(model, nodes):
    assert has_fx
    return _create(model, nodes)


class Net(nn.Module):
    def __init__(self, settings):
        super().__init__()
        self.scale = settings.create_feature_extractor

    def forward(self, x):
        return torch.relu(x) * self.scale
''', "torch2tf").text
    assert "\nfrom torchvision" not in text and "class Net(keras.Model):" in text, text
    assert "    from torchvision.models.feature_extraction import create_feature_extractor as _create\n    ass" in text


NOTED = '''import torch
from torch import nn


class Base(nn.Module):
    def __init__(self):
        super().__init__()
        self.noted = []
        self.scale = nn.Parameter(torch.ones(2))

    def note(self, weights, l2=0.0):
        if isinstance(weights, torch.nn.parameter.Parameter):
            weights = [weights]
        self.noted.append((list(weights), l2))

    def penalty(self):
        return sum(l2 * w.square().sum() for weights, l2 in self.noted for w in weights)


class Net(Base):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(6, 2)
        self.note(filter(lambda x: "weight" in x[0], self.fc.named_parameters()), l2=0.1)
        self.note(self.fc.weight)
        self.note(self.scale)

    def forward(self, x):
        return self.fc(x) * self.scale
'''


def test_weights_that_a_constructor_notes_for_training_are_left_out() -> None:
    """Keras has none before the first call, and would find those that it has a second time where they are noted."""
    result = translate(NOTED, "torch2tf")
    text = result.text
    assert "class Net(Base):" in text and "self.note(" not in text
    assert "        self.noted.append((list(weights), l2))\n" in text and "isinstance(weights, keras.Variable)" in text
    assert "    def penalty(self):\n        return sum(l2 * w.square()" in text
    assert sorted((f.line, f.code) for f in result.findings if f.outcome.needs_person) == [
        (16, "P205"), (24, "P205"), (25, "P205"), (26, "P205")]


def test_noted_weights_that_forward_reads_refuse_the_class() -> None:
    text = translate(NOTED.replace("return self.fc(x) * self.scale", "return self.fc(x) * self.penalty()"),
                     "torch2tf").text
    assert "class Net(Base):" in text and "def forward(self, x):" in text and "def call" not in text
    text = translate(NOTED.replace("* self.scale", "* len(self.noted)"), "torch2tf").text
    assert "def forward(self, x):" in text and "def call" not in text


def test_what_only_torch_jit_calls_stays_alone(tmp_path: Path) -> None:
    """And a number that is drawn in an axis of its own is no argument of `float`."""
    source = """import torch
from torch import nn


class Embed(nn.Module):
    def __init__(self, width=6):
        super().__init__()
        self.conv = nn.Conv1d(width, width, 4, padding=2)

    def __prepare_scriptable__(self):
        if self.conv.__class__.__name__ == "ParametrizedConv1d":
            torch.nn.utils.parametrize.remove_parametrizations(self.conv, "weight")
        return self

    def forward(self, x):
        return x + self.conv(x)[..., :-1]


class Net(nn.Module):
    def __init__(self, width=6):
        super().__init__()
        self.blocks = nn.ModuleList([Embed(width) for _ in range(2)])

    def forward(self, x):
        for block in self.blocks:
            if not (self.training and torch.rand(1).item() <= 0.25):
                x = block(x)
        return x
"""
    result = translate(source, "torch2tf")
    assert [(f.line, f.code) for f in result.findings] == [(11, "P204")] and "def __prepare_scriptable__" in result.text
    agree(tmp_path, source, result.text, "torch2tf", [Case("Net()", ("f32[2,6,9]",))])


@pytest.mark.parametrize("body", [
    "    def forward(self, x, states):\n        return x + sum(s for s in states)\n",
    "    def forward(self, x):\n        for states in (1, 2):\n            x = x * states\n        return x\n",
    "    def states(self):\n        return 3\n\n    def forward(self, x):\n        return x * self.states()\n",
    "    states = 3\n\n    def forward(self, x):\n        return x * self.states\n",
    "    def forward(self, x):\n        def states(y):\n            return y * 2\n        return states(x)\n",
    "    def forward(self, x):\n        f = lambda states: states + 1\n        return f(x)\n"])
def test_a_variable_called_like_what_stays_is_not_it(body: str) -> None:
    text = ("import torch.distributed as dist\nfrom torch import nn\n\n\n"
            "def states(x):\n    return dist.all_reduce(x)\n\n\n"
            f"class Net(nn.Module):\n{body}")
    result = translate(text, "torch2tf")
    assert "class Net(keras.Model)" in result.text and not [f for f in result.findings if "it uses" in f.message]


def test_the_variable_of_a_comprehension_hides_nothing_behind_it() -> None:
    text = ("import torch.distributed as dist\nfrom torch import nn\n\n\n"
            "def states(x):\n    return dist.all_reduce(x)\n\n\n"
            "class Net(nn.Module):\n    def forward(self, x):\n"
            "        y = sum(states for states in (1, 2))\n        return states(x) + y\n")
    assert any("it uses `states`" in f.message for f in translate(text, "torch2tf").findings)

