"""Layers that are asked for by name in models that functions build, and modules of Keras that globals hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from port.translate import translate_together
from port.verify.parent import Case, Settings, verify
from tests.test_injected import ported, put, refused

PACKAGE = {
    "pack/__init__.py": '''import functools

_LAYERS = None
_MODELS = None
_BACKEND = None
_UTILS = None


def choose():
    from tensorflow import keras

    global _LAYERS, _MODELS, _BACKEND, _UTILS
    _LAYERS = keras.layers
    _MODELS = keras.models
    _BACKEND = keras.backend
    _UTILS = keras.utils


choose()


def injected(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        kwargs['layers'] = _LAYERS
        kwargs['models'] = _MODELS
        kwargs['backend'] = _BACKEND
        kwargs['utils'] = _UTILS
        return function(*args, **kwargs)

    return wrapper


from .decoder import Decoder as _Decoder

Decoder = injected(_Decoder)
''',
    "pack/base.py": '''def unit(filters, at, **kwargs):
    layers = kwargs['layers']

    def layer(x):
        y = layers.Conv2D(filters, 3, padding='same', name='conv%d' % at)(x)
        y = layers.BatchNormalization(name='norm%d' % at)(y)
        y = layers.Activation('relu', name='relu%d' % at)(y)
        return layers.MaxPooling2D(2)(y)

    return layer


def base(input_shape, **kwargs):
    layers = kwargs['layers']
    models = kwargs['models']
    inputs = layers.Input(input_shape, name='data')
    x = inputs
    for at, filters in enumerate((4, 6)):
        x = unit(filters, at, **kwargs)(x)
    return models.Model(inputs, x)


BASES = {'two': base}
''',
    "pack/decoder.py": '''from keras_applications import get_submodules_from_kwargs

from .base import BASES

layers = None
models = None


def modules():
    return {'layers': layers, 'models': models}


def block(filters, activation=None, padding='valid', data_format=None, **kwargs):
    _, layers, _, _ = get_submodules_from_kwargs(kwargs)

    def wrapper(x):
        x = layers.Conv2D(filters, 3, padding=padding, data_format=data_format)(x)
        if activation:
            x = layers.Activation(activation)(x)
        return x

    return wrapper


def up(filters):
    kwargs = modules()

    def wrapper(x, skip=None):
        x = layers.UpSampling2D(2)(x)
        if skip is not None:
            x = layers.Concatenate()([x, skip])
        return block(filters, activation='relu', padding='same', **kwargs)(x)

    return wrapper


def assembled(model, names, made):
    x = model.output
    skips = [model.get_layer(name).output for name in names]
    for skip in skips:
        x = made(5)(x, skip)
    x = layers.Concatenate()([x, model.get_layer(name='data').output])
    return models.Model(model.input, x)


def Decoder(input_shape, names=('relu1', 'norm0'), **kwargs):
    global layers, models
    _, layers, models, _ = get_submodules_from_kwargs(kwargs)
    return assembled(BASES['two'](input_shape, **kwargs), names, up)
'''}


def test_layers_by_name(tmp_path: Path) -> None:
    results = ported(tmp_path / "source", {**PACKAGE, "pack/apart.py": PACKAGE["pack/base.py"]})
    put(tmp_path / "port", {name: result.text for name, result in results.items()})
    decoder, base = results["pack/decoder.py"].text, results["pack/base.py"].text
    assert not [m for m in refused(results) if "has no row" not in m]  # only the globals stay Keras' modules
    assert "skips = [layer_output(model, name) for name in names]" in decoder and "kwargs = modules()" not in decoder
    assert "y = named(F.relu(y), 'relu%d' % at)" in base and "kwargs['layers']" not in base
    assert "kwargs['layers']" not in results["pack/__init__.py"].text
    apart = results["pack/apart.py"].text
    assert "traced(" in apart and "named(" not in apart  # the decoder does not import it
    cases = [Case("pack:Decoder((8, 12, 3))", ("f32[2,8,12,3]",)),
             Case("pack:Decoder((8, 12, 3), ('norm1', 'conv0'))", ("f32[2,8,12,3]",))]
    stub = tmp_path / "stubs"
    stub.mkdir()
    (stub / "keras_applications.py").write_text('''def get_submodules_from_kwargs(kwargs):
    return tuple(kwargs.get(key) for key in ('backend', 'layers', 'models', 'utils'))
''')
    found = verify(tmp_path / "source", tmp_path / "port", "tf2torch", cases,
                   Settings(dtypes=("float64",), environment=(("PYTHONPATH", str(stub)),)))
    assert [v.status for v in found] == ["verified"] * 2, [v.message for v in found]


def test_names_are_noted_only_where_they_are_asked_for(tmp_path: Path) -> None:
    results = ported(tmp_path, {name: text.replace("model.get_layer(name).output", "model.output").replace(
        "model.get_layer(name='data').output", "model.input") for name, text in PACKAGE.items()})
    assert all("named(" not in result.text for result in results.values())


@pytest.mark.parametrize("asked", ["index=2", "None, 2"])
def test_layers_have_no_numbers(tmp_path: Path, asked: str) -> None:
    results = ported(tmp_path, {name: text.replace("get_layer(name)", f"get_layer({asked})")
                                for name, text in PACKAGE.items()})
    told = [f for f in results["pack/decoder.py"].findings if f.code == "P205" or "by its name" in f.message]
    assert len(told) == 1


INITIAL = '''from tensorflow.keras import Input, Model, layers


def conv(filters, kernel_initializer='glorot_uniform'):
    def wrapper(x):
        return layers.Conv2D(filters, 3, kernel_initializer=kernel_initializer)(x)

    return wrapper


def build(blocks):
    inputs = Input((8, 8, 3))
    x = inputs
    for b in blocks:
        x = b(x)
    return Model(inputs, conv(4, kernel_initializer='he_uniform')(x))


def main():
    return build([conv(3, kernel_initializer='he_uniform')])
'''


@pytest.mark.parametrize(("changed", "told"), [
    (INITIAL.replace("='glorot_uniform'", ""), False), (INITIAL, True)])
def test_initial_values_that_the_function_around_is_given(changed: str, told: bool) -> None:
    result = translate_together({"source.py": changed}, "tf2torch")["source.py"]
    assert ("he_uniform_" in result.text or "kaiming_uniform_" in result.text) is not told
    assert any(f.code == "P103" and "may be 'glorot_uniform' or 'he_uniform'" in f.message
               for f in result.findings) is told
