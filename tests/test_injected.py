"""Modules of Keras that are handed over as values; builders in dicts; settings that are spread into calls."""

from __future__ import annotations

from pathlib import Path

import libcst as cst
import pytest

from port import names
from port.findings import CATALOGUE, Outcome
from port.result import Result
from port.tf2torch.rules import lambda_arguments, settings_spread
from port.translate import translate_together
from port.verify.parent import Case, Settings, verify
from tests.proving import agree

PACKAGE = {
    "pack/__init__.py": '''def get_modules(kwargs):
    backend = kwargs.get('backend', None)
    layers = kwargs.get('layers', None)
    models = kwargs['models']
    return backend, layers, models
''',
    "pack/blocks.py": '''import collections

from . import get_modules

layers = None
models = None
backend = None

Params = collections.namedtuple('Params', ['repeat', 'block', 'attention'])


def norm_settings(**params):
    axis = 3 if backend.image_data_format() == 'channels_last' else 1
    settings = {'axis': axis, 'momentum': 0.9, 'epsilon': 2e-5, 'scale': True}
    settings.update(params)
    return settings


def widened(x, axis):
    return x[:, None, None, :] if axis == 3 else x[:, :, None, None]


def Gate(reduction=2, **kwargs):
    backend, layers, models = get_modules(kwargs)
    axis = 3 if backend.image_data_format() == 'channels_last' else 1

    def layer(x):
        channels = backend.int_shape(x)[axis]
        y = layers.GlobalAveragePooling2D()(x)
        y = layers.Lambda(widened, arguments={'axis': axis})(y)
        y = layers.Conv2D(channels // reduction, (1, 1), activation='relu')(y)
        y = layers.Conv2D(channels, (1, 1), activation='sigmoid')(y)
        return layers.Multiply()([x, y])

    return layer


def unit(filters, at, attention=None, cut='pre'):
    def layer(x):
        norm = norm_settings()
        y = layers.BatchNormalization(name='bn%d' % at, **norm)(x)
        y = layers.Activation('relu')(y)
        short = x if cut == 'pre' else layers.Conv2D(filters, (1, 1))(y)
        y = layers.Conv2D(filters, (3, 3), padding='same')(y)
        if attention is not None:
            y = attention(y)
        return layers.Add()([y, short])

    return layer


def Net(params, input_shape, classes=3, **kwargs):
    global layers, models, backend
    backend, layers, models = get_modules(kwargs)
    unscaled = norm_settings(scale=False)
    inputs = layers.Input(shape=input_shape)
    attention = params.attention(**kwargs) if params.attention else None
    x = layers.BatchNormalization(**unscaled)(inputs)
    for at in range(params.repeat):
        x = params.block(4, at, attention=attention, cut='pre' if at else 'post')(x)
    x = layers.GlobalAveragePooling2D()(x)
    return models.Model(inputs, layers.Dense(classes)(x))


PARAMS = {'plain': Params(2, unit, None), 'gated': Params(3, unit, Gate)}


def Plain(input_shape, **kwargs):
    return Net(PARAMS['plain'], input_shape, **kwargs)


def Gated(input_shape, **kwargs):
    return Net(PARAMS['gated'], input_shape, **kwargs)
''',
    "pack/factory.py": '''import functools

import tensorflow.keras as tfkeras

from . import blocks


def injected(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        kwargs['models'] = tfkeras.models
        return function(*args, **{**kwargs, 'backend': tfkeras.backend, 'layers': tfkeras.layers})

    return wrapper


Plain = injected(blocks.Plain)
Gated = injected(blocks.Gated)
'''}


def put(folder: Path, texts: dict[str, str]) -> dict[str, str]:
    (folder / "pack").mkdir(parents=True)
    for name, text in texts.items():
        (folder / name).write_text(text)
    return {str(folder / name): text for name, text in texts.items()}


def ported(folder: Path, texts: dict[str, str]) -> dict[str, Result]:
    found = translate_together(put(folder, texts), "tf2torch")
    return {str(Path(path).relative_to(folder)): result for path, result in found.items()}


def refused(results: dict[str, Result]) -> list[str]:
    return [f.message for r in results.values() for f in r.findings if CATALOGUE[f.code].outcome is Outcome.REFUSED]


def test_models_of_modules_that_are_handed_over(tmp_path: Path) -> None:
    results = ported(tmp_path / "source", PACKAGE)
    put(tmp_path / "port", {name: result.text for name, result in results.items()})
    assert not refused(results)
    assert all("keras" not in result.text.replace("Keras", "") for result in results.values())
    factory, blocks = results["pack/factory.py"].text, results["pack/blocks.py"].text
    assert "kwargs['models']" not in factory and "{**kwargs}" in factory
    assert "get_modules" not in blocks and "global" not in blocks and "layers = None" not in blocks
    cases = [Case(f"{name}((8, 6, 3))", ("f32[2,8,6,3]",)) for name in ("Plain", "Gated")]
    found = verify(tmp_path / "source/pack/factory.py", tmp_path / "port/pack/factory.py", "tf2torch", cases,
                   Settings(dtypes=("float64",)))
    assert [v.status for v in found] == ["verified"] * 2, [v.message for v in found]


@pytest.mark.parametrize(("old", "new"), [
    ("layers = None\n", "layers = 3\n"),  # called so otherwise
    ("def Plain(", "def other(**kwargs):\n    return get_modules(kwargs)[1]\n\n\ndef Plain("),
    ("def Plain(", "def other(**kwargs):\n    return kwargs['layers'].ReLU\n\n\ndef Plain("),
    ("models = kwargs['models']", "models = kwargs['others']"),  # which nobody hands over
    ("return backend, layers, models", "return backend, layers, models, None"),
])
def test_other_unpacking_stays(tmp_path: Path, old: str, new: str) -> None:
    results = ported(tmp_path, {name: text.replace(old, new, 1) for name, text in PACKAGE.items()})
    blocks = results["pack/blocks.py"].text if "pack/blocks.py" in results else PACKAGE["pack/blocks.py"]
    assert "= get_modules(kwargs)" in blocks and "tfkeras.layers" in results["pack/factory.py"].text


HEAD = "from keras import backend, layers\n\n\n"
MAKER = '''def made(**params):
    """Settings."""
    size = 3
    found = {'kernel_size': size, 'use_bias': False, 'padding': 'same'}
    found.update(params)
    return found


'''


def spread(body: str, maker: str = MAKER) -> str:
    module = cst.parse_module(HEAD + maker + body)
    return settings_spread.rewrite(module, names.collect(module)).code.removeprefix(HEAD + maker)


def test_settings_are_written_out_where_they_are_spread() -> None:
    assert spread("def f(x):\n    conv = made(padding='valid')\n    return layers.Conv2D(4, **conv)(x)\n") == (
        "def f(x):\n    return layers.Conv2D(4, kernel_size=3, use_bias=False, padding='valid')(x)\n")
    assert spread("def f(n):\n    def g(x):\n        conv = made()\n        return layers.Conv2D(n, **conv)(x)\n"
                  "    return g\n").count("kernel_size=3") == 1


@pytest.mark.parametrize("body", [
    "def f(x, n):\n    conv = made(padding=n)\n    return layers.Conv2D(4, **conv)(x)\n",  # what is given may change
    "def f(x):\n    conv = made()\n    conv['use_bias'] = True\n    return layers.Conv2D(4, **conv)(x)\n",
    "def f(x):\n    conv = made()\n    if x:\n        conv = {}\n    return layers.Conv2D(4, **conv)(x)\n",
    "def f(x, conv):\n    return layers.Conv2D(4, **conv)(x)\n",
    "def f(x):\n    if x:\n        conv = made()\n    return layers.Conv2D(4, **conv)(x)\n",
    "def f(x):\n    conv = made()\n    return layers.Conv2D(4, **conv)(x), conv\n",
])
def test_settings_that_may_be_others_are_left(body: str) -> None:
    assert spread(body) == body


@pytest.mark.parametrize(("old", "new"), [
    ("size = 3", "size = count()"), ("found.update(params)", "found.update(other)"), ("return found", "return other"),
    ("**params", "n, **params"), ("size = 3", "size = 3\n    size = 4"),
])
def test_makers_of_other_settings_are_left(old: str, new: str) -> None:
    body = "def f(x):\n    conv = made()\n    return layers.Conv2D(4, **conv)(x)\n"
    assert spread(body, MAKER.replace(old, new)) == body


@pytest.mark.parametrize(("layer", "call"), [
    ("layers.Lambda(part, arguments={'start': 0, 'stop': n})(x)", "part(x, start=0, stop=n)"),
    ("layers.Lambda(part, arguments=given, name='a')(x)", "part(x, **given)"),
    ("layers.Lambda(part, arguments={n: 0})(x)", ""), ("layers.Lambda(part, arguments=None)(x)", ""),
    ("layers.Lambda(part, arguments=given, mask=m)(x)", ""), ("layers.Lambda(part)(x)", ""),
])
def test_a_lambda_layer_with_arguments_is_a_call(layer: str, call: str) -> None:
    module = cst.parse_module(f"{HEAD}y = {layer}\n")
    new = lambda_arguments.rewrite(module, names.collect(module)).code
    assert new == f"{HEAD}y = {call or layer}\n"


TOP = '''from tensorflow import keras
from tensorflow.keras import layers

parameters = {
    "kernel_initializer": "he_normal",
    "use_bias": False,
}


def block(filters, stride=1):
    def f(x):
        y = layers.Conv2D(filters, 3, strides=stride, padding="same", **parameters)(x)
        y = layers.ReLU()(y)
        return layers.Conv2D(filters, 1, **parameters)(y)

    return f


def build(shape=(8, 12, 3)):
    inputs = keras.Input(shape)
    x = block(4)(inputs)
    x = block(6, 2)(x)
    return keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(x)))
'''


def test_a_dict_of_settings_at_the_top_of_a_file(tmp_path: Path) -> None:
    path = str(tmp_path / "source.py")
    result = translate_together({path: TOP}, "tf2torch")[path]
    assert not refused({path: result}) and "parameters" not in result.text
    assert "nn.Conv2d(filters, filters, 1, bias=False)" in result.text and "he_normal_(" in result.text
    agree(tmp_path, TOP, result.text, "tf2torch", [Case("build()", ("f32[2,8,12,3]",))])


@pytest.mark.parametrize("changed", [
    TOP + "\n\nparameters['use_bias'] = True\n",
    TOP.replace('"he_normal"', "chosen()"),
    TOP.replace("\n\n\ndef block", "\n\nprint(parameters)\n\n\ndef block")])
def test_a_dict_that_is_more_than_constants_that_are_spread_stays(changed: str) -> None:
    module = cst.parse_module(changed)
    assert settings_spread.rewrite(module, names.collect(module)) is module


def test_a_dict_that_another_file_reads_stays() -> None:
    module = cst.parse_module(TOP)
    assert settings_spread.rewrite(module, names.collect(module), "parameters".__eq__) is module
