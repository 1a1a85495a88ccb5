"""The torch half of `test_layer_rows`: runs the translated texts on the same numbers. Prints the faults as JSON."""

import json
import sys
from pathlib import Path

import numpy as np
import torch

from port.verify.weights import to_torch

TOLERANCE = 3e-6  # float32, relative to the largest output


def load(model, rules, arrays):
    """Keras' weights into the only layer of the model that has any."""
    own = model.state_dict()
    for name, value in to_torch(rules, arrays, {}, fill=False).items():
        keys = [key for key in own if key == name or key.endswith("." + name)]
        assert len(keys) == 1, f"the weight {name} among {list(own)}"
        own.pop(keys[0]).copy_(torch.tensor(value))
    frozen = {k for k, p in model.named_parameters() if not p.requires_grad}
    left = {key for key in own if key not in frozen} & {key for key, _ in model.named_parameters()}
    assert not left, f"weights that Keras does not have: {left}"


def fault(case, number, stored, reference):
    names: dict = {}
    exec(case["text"], names)
    model = names["build"]().eval()
    head = f"{number}:weight:"
    load(model, case["weights"], {k[len(head):]: reference[k] for k in reference if k.startswith(head)})
    with torch.no_grad():
        result = model(*[torch.tensor(stored[f"{number}:{i}"]) for i in range(case["inputs"])])
    outputs = list(result) if isinstance(result, list | tuple) else [result]
    for i, y in enumerate(outputs):
        want = reference[f"{number}:output:{i}"]
        if tuple(y.shape) != want.shape:
            return f"shape {tuple(y.shape)}, Keras {want.shape}"
        if (error := np.abs(y.numpy() - want).max() / (1 + np.abs(want).max())) > TOLERANCE:
            return f"differs by {error:.1e}"
    return ""


def main(cases, inputs, reference):
    stored, reference = np.load(inputs), np.load(reference)
    for number, case in enumerate(json.loads(Path(cases).read_text())):
        try:
            found = fault(case, number, stored, reference)
        except Exception as error:
            found = f"{type(error).__name__}: {error}"
        if found:
            print(json.dumps([case["row"], case["sample"], found]))


if __name__ == "__main__":
    main(*sys.argv[1:])
