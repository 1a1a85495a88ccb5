"""Rows of `mappings/applications.yaml`: helpers of plain Python values, against keras.applications itself."""

import json
import os
import subprocess
import sys

import pytest

from port.imports import helper_source

pytest.importorskip("keras")

SHAPES = [{"input_shape": shape, "default_size": 224, "min_size": 32, "require_flatten": top, "weights": weights}
          for shape in (None, [64, 48, 3], [64, 48, 1], [None, None, 3], [16, 48, 3], [64, 48], [224, 224, 3])
          for top in (True, False) for weights in (None, "imagenet")]
PADS = [{"size": size, "kernel": kernel} for size in ([8, 7], [7, 8], [9, 9], [6, 4]) for kernel in (3, 5, [3, 5])]
KERAS = """
import json, sys
from keras.src.applications import imagenet_utils as u
shapes, pads = json.load(sys.stdin)
out = []
for case in shapes:
    case["input_shape"] = tuple(case["input_shape"]) if case["input_shape"] is not None else None
    try:
        out.append(list(u.obtain_input_shape(data_format="channels_last", **case)))
    except ValueError:
        out.append("ValueError")
class Shaped:
    def __init__(self, size):
        self.shape = (2, *size, 3)
def kernel(k):
    return tuple(k) if isinstance(k, list) else k
done = [u.correct_pad(Shaped(p["size"]), kernel(p["kernel"])) for p in pads]
print(json.dumps([out, done]))
"""


def keras_side() -> list:
    env = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run([sys.executable, "-c", KERAS], input=json.dumps([SHAPES, PADS]), env=env, text=True,
                          capture_output=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def helper(name: str):
    scope: dict = {}
    exec(helper_source(name)[2], scope)
    return scope[name]


def test_helpers_of_applications_agree_with_keras() -> None:
    shapes, pads = keras_side()
    obtain, correct_pad = helper("obtain_input_shape"), helper("correct_pad")
    for case, wanted in zip(SHAPES, shapes, strict=True):
        given = {**case, "input_shape": tuple(case["input_shape"]) if case["input_shape"] is not None else None}
        try:
            found = list(obtain(**given))
        except ValueError:
            found = "ValueError"
        assert found == wanted, case

    class Shaped:
        def __init__(self, size: list[int]) -> None:
            self.shape = (2, 3, *size)

    for case, wanted in zip(PADS, pads, strict=True):
        kernel = tuple(case["kernel"]) if isinstance(case["kernel"], list) else case["kernel"]
        (top, bottom), (left, right) = wanted
        assert correct_pad(Shaped(case["size"]), kernel) == [left, right, top, bottom], case
