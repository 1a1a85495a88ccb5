"""One side of `test_torch_initial`: builds every module of a folder and prints statistics of its weights as JSON.

{case: [[size, mean, std, min, max, is the distribution bounded], ...]}
"""

import json
import sys
from pathlib import Path

import numpy as np


def statistics(arrays):
    found = []
    for a in arrays:
        a = np.asarray(a, "float64")
        if a.size:
            tail = np.abs(a - a.mean()).max() / (a.std() + 1e-30)
            found.append([int(a.size), a.mean(), a.std(), a.min(), a.max(), bool(tail < 2.6)])
    return found


def torch_weights(module, x):
    import torch

    held = dict(module.named_parameters())
    for name in [n for n in held if "bias_ih" in n]:  # Keras keeps the sum of LSTM's biases, and both of GRU's
        other = held.pop(name.replace("bias_ih", "bias_hh"))
        owner = module.get_submodule(name.rpartition(".")[0])
        held[name] = torch.cat([held[name], other]) if isinstance(owner, torch.nn.GRU) else held[name] + other
    return [p.detach().numpy() for p in held.values()]


def keras_weights(module, x):
    module(x)
    return [v.numpy() for v in module.trainable_variables]


def main(side, folder):
    out = {}
    for path in sorted(Path(folder).glob("*.py")):
        text = path.read_text()
        kind = text[2:].splitlines()[0]
        shape = tuple(map(int, kind.lstrip("i").split(",")))
        x = np.zeros(shape, "int64") if kind.startswith("i") else np.zeros(shape, "float32")
        names = {"__name__": path.stem}
        if side == "keras":
            import keras

            keras.utils.set_random_seed(1)
        else:
            import torch

            torch.manual_seed(1)
        exec(compile(text, str(path), "exec"), names)
        read = keras_weights if side == "keras" else torch_weights
        out[path.stem] = statistics(read(names["Net"](), x))
    print(json.dumps(out))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
