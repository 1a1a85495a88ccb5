"""One half of `test_initial`: builds every model of a folder, prints what its weights look like as JSON.

usage: initial_child.py keras|torch FOLDER
"""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np


def look(weights):
    """Size, mean, deviation, mean and greatest absolute value, distance from an orthogonal matrix."""
    out = []
    for w in weights:
        w = np.asarray(w, float)
        flat = w.reshape(-1, w.shape[-1]) if w.ndim > 1 else w[None]
        flat = flat if flat.shape[0] >= flat.shape[1] else flat.T
        gram = float(np.abs(flat.T @ flat - np.eye(flat.shape[1])).max()) if w.ndim > 1 and w.any() else 1.0
        out.append([w.size, w.mean(), w.std(), np.abs(w).mean(), np.abs(w).max(), gram])
    return out


def torch_weights(model):
    """Trainable parameters, the first axis last; what Keras keeps in one array is joined."""
    joined = {}
    for name, p in model.named_parameters():
        if not p.requires_grad:
            assert not p.any(), name
            continue
        p = p.detach()
        if name.endswith("in_proj_weight") or name.endswith("in_proj_bias"):
            joined |= {f"{name}{i}": part for i, part in enumerate(p.chunk(3))}
        elif "gru" in name and "bias_" in name and "hh" in name:
            key = name.replace("hh", "ih")
            joined[key] = np.stack([joined[key], p])
        else:
            joined[name] = p
    return [np.moveaxis(np.asarray(p), 0, -1) if np.ndim(p) > 1 else np.asarray(p) for p in joined.values()]


def run(side, folder):
    if side == "keras":
        import keras

        keras.utils.set_random_seed(1)
    else:
        import torch

        torch.manual_seed(1)
    found = {}
    for path in sorted(Path(folder).glob("*.py")):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        model = module.build()
        found[path.stem] = look(model.trainable_weights if side == "keras" else torch_weights(model))
    print(json.dumps(found))


if __name__ == "__main__":
    run(*sys.argv[1:])
