"""Tables of choices with entries that are not ported; functions that choose classes; tuples of several lengths."""

from __future__ import annotations

import pytest

from port.translate import translate

HEAD = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n\n\n"
ODD = '''class Odd(nn.Module):
    def forward(self, x):
        return torch.special.airy_ai(x)


'''
NET = '''

class Net(nn.Module):
    def __init__(self, n, act="relu"):
        super().__init__()
        self.conv = nn.Conv2d(3, n, 1)
        self.act = {made}

    def forward(self, x):
        return self.act(self.conv(x))
'''


@pytest.mark.parametrize(("table", "ported"), [
    ("dict(relu=nn.ReLU, celu=nn.CELU, odd=Odd)",
     'A = dict(relu=layers.ReLU, celu=not_ported("nn.CELU"), odd=not_ported("Odd"))'),
    ('{"b": nn.ReLU, "c": nn.GELU if B else Odd}',
     'A = {"b": layers.ReLU, "c": (lambda: layers.Activation("gelu")) if B else not_ported("Odd")}'),
])
def test_an_entry_that_is_not_ported_raises_when_it_is_chosen(table: str, ported: str) -> None:
    done = translate(HEAD + ODD + f"B = 1 < 2\nA = {table}\n" + NET.format(made="A[act]()"), "torch2tf")
    assert ported in done.text and "class Net(keras.Model)" in done.text and "class Odd(nn.Module)" in done.text
    assert any(f.message == "it uses `Odd`, which is not ported: to call it raises" for f in done.findings)
    names: dict[str, object] = {}
    exec(done.text.partition("def not_ported")[1] + done.text.partition("def not_ported")[2].partition("\n\n\n")[0],
         names)
    with pytest.raises(NotImplementedError, match="Odd is not ported"):
        names["not_ported"]("Odd")(3)  # type: ignore[operator]


@pytest.mark.parametrize("table", ["{nn.ReLU, Odd}", "[nn.ReLU, Odd]", '{"relu": nn.ReLU(), "odd": Odd()}',
                                   '{"odd": Odd}'])
def test_what_is_no_table_of_choices_is_refused(table: str) -> None:
    text = translate(HEAD + ODD + f"LAYERS = {table}\n", "torch2tf").text
    assert f"\nLAYERS = {table}" in text and "not_ported" not in text


def test_a_function_that_chooses_a_class_raises_for_what_is_not_ported() -> None:
    source = HEAD + ODD + '''def choose(name):
    if name == "odd":
        cls = Odd
    else:
        cls = nn.ReLU
    return cls
''' + NET.format(made="choose(act)()")
    text = translate(source, "torch2tf").text
    assert "class Net(keras.Model)" in text
    assert '        raise NotImplementedError("this setting is not ported from PyTorch")' in text


def test_a_tuple_of_several_lengths_is_told_by_who_unpacks_it() -> None:
    source = HEAD + '''def parts(n, drop=None):
    if drop is not None:
        return nn.Conv2d(3, n, 1), nn.Dropout(drop), nn.Linear(n, 2)
    return nn.Conv2d(3, n, 1), nn.Linear(n, 2)


class Net(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.conv, self.head = parts(n)

    def forward(self, x):
        return self.head(self.conv(x).mean((2, 3)))
'''
    done = translate(source, "torch2tf")
    assert "self.head(tf.reduce_mean(self.conv(x), axis=(1, 2)))" in done.text and not done.findings


CALLBACK = HEAD + '''def odd(x):
    return torch.special.airy_ai(x)


def build(cls, filter_fn=None, pretrained=False, **kwargs):
    model = cls(**kwargs)
    if pretrained:
        model.weights = filter_fn(torch.ones(3))
    return dict(model=model)


class Net(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.conv = nn.Conv2d(3, n, 1)

    def forward(self, x):
        return self.conv(x)


def small(n=4):
    return build(Net, {given}, n=n)
'''


def test_a_function_that_is_not_ported_may_be_handed_on_by_keyword() -> None:
    text = translate(CALLBACK.replace("{given}", "filter_fn=odd"), "torch2tf").text
    assert "\ndef small(n=4):\n    return build(Net, filter_fn=not_ported(\"odd\"), n=n)\n" in text


def test_a_function_that_is_not_ported_is_not_called_by_what_is() -> None:
    text = translate(CALLBACK.replace("{given}", "filter_fn=odd(torch.ones(3))"), "torch2tf").text
    assert "# port: P206 it uses `odd`, which is not ported\ndef small(n=4):" in text


def test_a_value_that_may_be_a_layer_takes_no_devices() -> None:
    source = HEAD + '''from functools import partial


class Part(nn.Module):
    def __init__(self, n, conv=False, device=None, dtype=None):
        super().__init__()
        dd = {"device": device, "dtype": dtype}
        layer = partial(nn.Conv2d, kernel_size=1) if conv else nn.Linear
        self.layer = layer(n, n, **dd)

    def forward(self, x):
        return self.layer(x)
'''
    text = translate(source, "torch2tf").text
    assert "self.layer = layer(n, n)\n" in text and "class Part(keras.Model)" in text
