"""How `helpers_torch` runs a case: helpers from their texts, Keras' arrays, and the errors so far."""

import re
import sys
from pathlib import Path

import numpy as np
import torch

from port import rowfile, table
from port.verify.weights import to_torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
SOURCE = Path(rowfile.__file__).parent
FOLDER = SOURCE / "helpers" / "torch"
ROWS: dict = {}  # weights of the rows by name, of the layers only
for row in rowfile.compile_rows({p.name: p.read_text() for p in table.folder().glob("layers_*.yaml")})["rows"]:
    ROWS.setdefault(row["name"], []).append(row.get("weights", {}))
NAMES: dict = {}
WORST: dict[str, float] = {}
REFERENCE = np.load(sys.argv[1])


def helper(name):
    """A helper, from its text, with those that it needs."""
    if name not in NAMES:
        text = (FOLDER / f"{name}.py").read_text()
        if text.startswith("# needs:"):
            for other in text.splitlines()[0].split()[2:]:
                helper(other)
        exec(compile(text, f"{name}.py", "exec"), NAMES)
    return NAMES[name]


def numbers(name, shape):
    return torch.tensor(np.random.default_rng(list(name.encode())).normal(size=shape))


def weights(name, row="", rules=None, part=""):
    """The state dict for one case: Keras' arrays through the `weights` of a row."""
    head = f"{name}:weight:{part}"
    arrays = {k[len(head):]: REFERENCE[k] for k in REFERENCE if k.startswith(head)}
    arrays = {re.sub(r"^\w*cell(_\d+)?/", "", k): v for k, v in arrays.items()}
    rules = rules or ROWS[row][0]
    return {k: torch.tensor(v) for k, v in to_torch(rules, arrays, fill=False).items()}


def compare(name, outputs):
    WORST.setdefault(name, 0.0)
    for i, y in enumerate(outputs):
        want = REFERENCE[f"{name}:output:{i}"]
        assert tuple(y.shape) == want.shape, f"{name}: {tuple(y.shape)}, Keras {want.shape}"
        WORST[name] = max(WORST[name], np.abs(y.detach().numpy() - want).max(initial=0))
    assert f"{name}:output:{len(outputs)}" not in REFERENCE, f"{name}: Keras has more outputs"


def check(name, call, first=False, flat=lambda y: [y]):
    """Outputs and the gradient of the first input; `first`: channels first inside, last outside."""
    count = len([k for k in REFERENCE if k.startswith(f"{name}:input:")])
    inputs = [torch.tensor(REFERENCE[f"{name}:input:{i}"]) for i in range(count)]
    inputs[0].requires_grad_()
    outputs = call(*[x.movedim(-1, first) for x in inputs] if first else inputs)
    outputs = flat(outputs)
    outputs = [y.movedim(first, -1) for y in outputs] if first else outputs
    compare(name, outputs)
    total = sum((y * numbers(f"{name}/cotangent{i}", y.shape)).sum() for i, y in enumerate(outputs))
    gradient = torch.autograd.grad(total, inputs[0])[0].numpy()
    WORST[name] = max(WORST[name], np.abs(gradient - REFERENCE[f"{name}:gradient"]).max())


def flatten(y):
    return [z for x in y for z in flatten(x)] if isinstance(y, list | tuple) else [y]


def loaded(module, state):
    module.load_state_dict(state)
    return module
