"""The Keras half of `test_layer_rows`: outputs of every sample of the layer rows, with random weights."""

import json
import re
import sys
from pathlib import Path

import keras
import numpy as np


def weight_name(path):
    """Without the layer's own name and that of an inner cell."""
    return re.sub(r"^\w*cell(_\d+)?/", "", path.split("/", 1)[1])


def tuples(value):
    return tuple(map(tuples, value)) if isinstance(value, list) else value


def main(cases, inputs, target):
    stored, results = np.load(inputs), {}
    for number, case in enumerate(json.loads(Path(cases).read_text())):
        settings = {k: tuples(v) for k, v in case["sample"].items()}
        layer = getattr(keras.layers, case["name"].rpartition(".")[2])(**settings)
        xs = [stored[f"{number}:{i}"] for i in range(case["inputs"])]
        args = xs if case["apart"] or len(xs) == 1 else [xs]
        layer(*args)
        for i, weight in enumerate(layer.weights):
            weight.assign(np.random.default_rng(i).uniform(0.1, 1, weight.shape).astype("float32"))
            results[f"{number}:weight:{weight_name(weight.path)}"] = weight.numpy()
        for i, y in enumerate(keras.tree.flatten(layer(*args))):
            results[f"{number}:output:{i}"] = np.asarray(y.numpy())
    np.savez(target, **results)


if __name__ == "__main__":
    main(*sys.argv[1:])
