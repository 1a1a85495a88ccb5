"""Settings that cannot be ported raise where they are chosen, and the rest of their class or function is ported."""

from __future__ import annotations

from port.translate import translate

ODD = '''class Odd(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.fc = nn.utils.spectral_norm(nn.Linear(n, n))

    def forward(self, x):
        return self.fc(x)
'''
HEAD = f"import torch\nfrom torch import nn\n\n\n{ODD}\n\n"
NET = '''class Net(nn.Module):
    def __init__(self, n, odd=False):
        super().__init__()
        if odd:
            self.a = Odd(n)
        else:
            self.a = nn.Linear(n, n)

    def forward(self, x):
        return self.a(x)
'''
RAISED = ('            # port: P206 it uses `Odd`, which is not ported\n'
          '            raise NotImplementedError("this setting is not ported from PyTorch")\n')


def codes(text: str) -> list[tuple[int, str]]:
    return sorted((f.line, f.code) for f in translate(text, "torch2tf").findings if f.outcome.needs_person)


def test_a_class_that_uses_what_is_not_ported_in_one_branch_is_ported() -> None:
    text = translate(HEAD + NET, "torch2tf").text
    assert f"        if odd:\n{RAISED}        else:\n            self.a = layers.Dense(n" in text
    assert "class Net(keras.Model):" in text and ODD in text
    assert codes(HEAD + NET) == [(8, "P203"), (18, "P206")]
    assert translate(text, "torch2tf").text == text


def test_a_branch_with_an_operation_that_is_not_ported_raises() -> None:
    text = translate(HEAD + NET.replace("Odd(n)", "nn.utils.spectral_norm(nn.Linear(n, n))"), "torch2tf").text
    assert "        if odd:\n            # port: P203 `torch.nn.utils.spectral_norm`" in text
    assert "class Net(keras.Model):" in text and text.count("raise NotImplementedError") == 1


def test_functions_that_make_modules_raise_as_well() -> None:
    make = ('def make(kind, n):\n    if kind == "odd":\n        return Odd(n)\n    elif kind == "two":\n'
            '        return nn.Linear(n, 2)\n    raise ValueError(kind)\n')
    text = translate(HEAD + make, "torch2tf").text
    assert '    if kind == "odd":\n        # port: P206 it uses `Odd`, which is not ported\n        raise Not' in text
    assert '    elif kind == "two":\n        return layers.Dense(2' in text


def test_one_branch_must_be_left_and_only_where_modules_are_made() -> None:
    both = NET.replace("nn.Linear(n, n)", "Odd(2 * n)")
    other = "        else:\n            self.a = nn.Linear(n, n)\n"
    alone = NET.replace("        if odd:\n    ", "    ").replace(other, "")
    applied = NET.replace("        return self.a(x)",
                          "        if self.odd:\n            return Odd(3)(x)\n        return self.a(x)")
    for net in (both, alone, applied):
        text = translate(HEAD + net, "torch2tf").text
        assert "class Net(nn.Module):" in text and "raise" not in text, net


def test_other_functions_stay_whole() -> None:
    """Who calls them gets no error, but PyTorch as it was."""
    text = translate(HEAD + "def main(odd):\n    if odd:\n        print(Odd(3))\n    print(nn.Linear(3, 4))\n",
                     "torch2tf").text
    assert "        print(Odd(3))\n" in text and "raise" not in text


def test_type_hints_of_what_is_not_ported_refuse_nothing() -> None:
    text = translate(HEAD + "def width(a: Odd, n: int) -> torch.Tensor:\n    return torch.zeros(n)\n", "torch2tf").text
    assert "def width(a: Odd, n: int) -> tf.Tensor:" in text


def test_aliases_of_types_are_hints() -> None:
    text = translate("from typing import Union\n\nimport torch\nfrom torchvision.transforms import Resize\n\n"
                     "Step = Union[Resize, torch.Tensor]\n\n\ndef f(x: Step):\n    return torch.zeros(3)\n",
                     "torch2tf").text
    assert "\nStep = Union[object, tf.Tensor]\n" in text and "Resize" not in text


def test_fans_of_own_weights() -> None:
    own = ("import torch\nfrom torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self, n):\n"
           "        super().__init__()\n        self.w = nn.Parameter(torch.zeros(n, 5))\n"
           "        fan_in, _ = nn.init._calculate_fan_in_and_fan_out(self.w)\n"
           "        nn.init.uniform_(self.w, -fan_in, fan_in)\n\n"
           "    def forward(self, x):\n        return x @ self.w\n")
    text = translate(own, "torch2tf").text
    assert "        fan_in, _ = fans(self.w)\n" in text and "def fans(weight):" in text
    layer = own.replace("nn.Parameter(torch.zeros(n, 5))", "nn.Linear(n, 5)")
    assert "P204" in [code for _, code in codes(layer.replace("out(self.w)", "out(self.w.weight)"))]
