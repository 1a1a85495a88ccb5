"""Helpers that `torch2tf` writes are read back as what they stand for; what a user has changed is not."""

from __future__ import annotations

import re

import pytest

from port.result import Result
from port.translate import translate

HEAD = "import torch\nimport torch.nn.functional as F\nfrom torch import nn\n\n\n"
MODULES = {
    "lstm": ("nn.LSTM(5, 7, batch_first=True)", "return self.part(x)[0]"),
    "lstm_states": ("nn.LSTM(5, 7, num_layers=2, batch_first=True, bidirectional=True)",
                    "y, (h, c) = self.part(x)\n        return y, h, c"),
    "gru": ("nn.GRU(5, 7)", "y, h = self.part(x)\n        return y + h[0]"),
    "rnn": ("nn.RNN(5, 7, nonlinearity='relu', batch_first=True)", "return self.part(x)[0]"),
    "attention": ("nn.MultiheadAttention(8, 2, batch_first=True)",
                  "return self.part(x, x, x, need_weights=False)[0]"),
}
FUNCTIONS = {
    "flatten": "torch.flatten(x, 1)", "unflatten": "torch.unflatten(x, 1, (2, -1))",
    "topk": "torch.topk(x, 3, dim=1)[0]", "cross_entropy": "F.cross_entropy(x, y, reduction='sum')",
    "binary_cross_entropy": "F.binary_cross_entropy(x, y, reduction='none')",
}


def there(text: str) -> str:
    return translate(text, "torch2tf").text


def back(text: str) -> Result:
    return translate(text, "tf2torch")


@pytest.mark.parametrize("name", MODULES)
def test_modules_come_back(name: str) -> None:
    made, used = MODULES[name]
    text = (f"{HEAD}class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            f"        self.part = {made}\n\n    def forward(self, x):\n        {used}\n")
    keras = there(text)
    assert re.search(rf"^class {made[3:].partition('(')[0]}\(layers.Layer\)", keras, re.M)
    result = back(keras)
    assert not [f for f in result.findings if f.outcome.needs_person]
    assert f"self.part = {made}".replace("'", '"') in result.text.replace("'", '"')
    assert used in result.text
    assert "keras" not in result.text
    assert result.text.count("class ") == 1


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_come_back(name: str) -> None:
    keras = there(f"{HEAD}def f(x, y):\n    return {FUNCTIONS[name]}\n")
    assert f"def {name}(" in keras
    result = back(keras)
    assert not [f for f in result.findings if f.outcome.needs_person]
    assert f"return {FUNCTIONS[name]}" in result.text
    assert f"def {name}(" not in result.text


LSTM = there(f"{HEAD}class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
             "        self.part = nn.LSTM(5, 7, batch_first=True)\n\n    def forward(self, x):\n"
             "        return self.part(x)[0]\n")
FLATTEN = there(f"{HEAD}def f(x):\n    return torch.flatten(x, 1)\n")


def test_comments_spacing_and_docstrings_may_differ() -> None:
    text = FLATTEN.replace('"""torch.flatten: the axes from start_dim to end_dim as one."""', '"""Mine."""').replace(
        "size = 1", "size  =  1  # so far")
    assert text != FLATTEN
    assert "return torch.flatten(x, 1)" in back(text).text


@pytest.mark.parametrize(("old", "new"), [
    ("bound = fan_in ** -0.5", "bound = fan_in ** -0.4"), ("return_sequences=True", "return_sequences=False"),
    ("dropout=0.0", "dropout=0.1"), ("from keras import initializers, layers", "from mine import initializers, layers"),
])
def test_an_edited_helper_is_the_users(old: str, new: str) -> None:
    assert old in LSTM
    assert "nn.LSTM(5, 7" not in back(LSTM.replace(old, new, 1)).text


def test_a_helper_that_is_bound_twice_is_the_users() -> None:
    text = FLATTEN.replace("def f(x):", "def flatten(x, n):\n    return x\n\n\ndef f(x):")
    assert "torch.flatten(x, 1)" not in back(text).text


def test_helpers_stay_where_code_that_stays_in_keras_uses_them() -> None:
    result = back(FLATTEN + "\n\ndef g(x):\n    return flatten(keras.ops.unheard(x), 1)\n")
    assert "def flatten(" in result.text
    assert [f.code for f in result.findings if f.outcome.needs_person] == ["P201"]


def test_a_module_read_back_keeps_its_own_initial_values() -> None:
    assert "init_weights" not in back(LSTM).text


def test_initial_values_set_afterwards_come_back() -> None:
    text = HEAD + '''def init_weights(module):
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.LSTM):
        for name, param in module.named_parameters():
            if name.startswith('weight_ih'):
                nn.init.xavier_uniform_(param)
            elif name.startswith('weight_hh'):
                nn.init.orthogonal_(param)
            else:
                nn.init.zeros_(param)
            if name.startswith('bias_ih'):
                nn.init.ones_(param.detach()[module.hidden_size:2 * module.hidden_size])  # forget gate
            if name.startswith('bias_hh'):
                param.requires_grad_(False)
    elif isinstance(module, nn.MultiheadAttention):
        for weight in module.in_proj_weight.detach().chunk(3):  # query, key, value
            nn.init.xavier_uniform_(weight)
        nn.init.zeros_(module.in_proj_bias)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(5, 8, batch_first=True)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.head = nn.Linear(8, 3)
        self.apply(init_weights)

    def forward(self, x):
        x = self.lstm(x)[0]
        return self.head(self.attention(x, x, x)[0])
'''
    result = back(there(text))
    assert not [f for f in result.findings if f.outcome.needs_person or f.code == "P103"]
    first = text.index("    if isinstance(module, nn.Linear)")
    assert text[first:text.index("\n\n\nclass Net")] in result.text


def test_a_mask_that_a_helper_would_read_is_refused() -> None:
    text = LSTM.replace("        return self.part(x)[0]", "        return self.part(self.embedding(x))[0]").replace(
        "        self.part = ", "        self.embedding = layers.Embedding(9, 5, mask_zero=True)\n        self.part = ")
    assert any("the mask of its input" in f.message for f in back(text).findings)
