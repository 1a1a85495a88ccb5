"""Writes mappings/frequency.csv, which `port ops --coverage` counts: `python -m corpus.frequency FOLDER`.

FOLDER holds tf_api.csv, torch_api.csv and torch_methods.csv: how often published code calls each symbol. Kept are the
names that model files call (methods: those of tensors), as the tables spell them, and whether a rule serves those that
have no row: that is found by translating a line that uses them.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from port import coverage, names, table
from port.translate import translate

FORMS = {
    "torch.no_grad": "with torch.no_grad():\n            x = x + 1\n        return x",
    "torch.inference_mode": "with torch.inference_mode():\n            x = x + 1\n        return x",
    "torch.finfo": "return x.masked_fill(x > 0, torch.finfo(x.dtype).max)",
    "torch.iinfo": "return x.long().clamp(max=torch.iinfo(torch.int32).max)",
    "torch.device": "return x.to(torch.device('cpu'))",
    "torch.nn.Parameter": "INIT self.a = torch.nn.Parameter(torch.zeros(3))",
    "keras.Input": "i = keras.Input((3,))\n    return keras.Model(i, keras.layers.Dense(2)(i))",
    "keras.Model": "i = keras.Input((3,))\n    return keras.Model(i, keras.layers.Dense(2)(i))",
    "keras.Sequential": "return keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])",
    "tf.compat.v1.name_scope": "with tf.compat.v1.name_scope('a'):\n        x = x + 1\n    return x",
    "tf.device": "with tf.device('/cpu:0'):\n        x = x + 1\n    return x",
    "tf.init_scope": "with tf.init_scope():\n        x = x + 1\n    return x",
    "tf.control_dependencies": "with tf.control_dependencies([x]):\n        x = x + 1\n    return x",
    "tf.function": "TOP @tf.function\ndef f(x):\n    return x + 1\n",
    "tf.name_scope": "with tf.name_scope('a'):\n        x = x + 1\n    return x",
    "keras.backend.name_scope": "with keras.backend.name_scope('a'):\n        x = x + 1\n    return x",
    "keras.backend.image_data_format": "a = 3 if keras.backend.image_data_format() == 'channels_last' else 1\n"
                                       "    return tf.reduce_sum(x) * a",
    "tf.TensorShape": "return tf.reshape(x, tf.TensorShape([2, 3]))",
    "tf.Variable": "CLASS self.w = tf.Variable(tf.zeros([3])) ; return x + self.w",
    "keras.layers.InputSpec": "CLASS self.input_spec = keras.layers.InputSpec(ndim=4) ; return x",
    "tf.compat.v1.variable_scope": "with tf.compat.v1.variable_scope('a'):\n        x = x + 1\n    return x",
    "tf.variable_scope": "with tf.variable_scope('a'):\n        x = x + 1\n    return x",
    "tf.TensorSpec": "TOP @tf.function(input_signature=[tf.TensorSpec([None, 3])])\ndef f(x):\n    return x + 1\n",
    "keras.activations.get": "CLASS self.a = keras.activations.get('relu') ; return self.a(x)",
    "tf.cond": "return tf.cond(tf.reduce_sum(x) > 0, lambda: x, lambda: -x)",
    "tf.map_fn": "return tf.map_fn(lambda y: y * 2, x)",
}

FORMS |= {f"keras.{part}.register_keras_serializable":
          f"TOP @keras.{part}.register_keras_serializable(package='a')\nclass M(keras.layers.Layer):\n"
          "    def call(self, x):\n        return x + 1\n" for part in ("utils", "saving")}
FORMS |= {f"keras.{part}.get": f"CLASS self.a = keras.{part}.get('zeros') ; return x"
          for part in ("initializers", "regularizers", "constraints")}
FORMS |= {f"keras.{part}.serialize": "TOP class M(keras.layers.Layer):\n    def call(self, x):\n        return x\n\n"
          f"    def get_config(self):\n        return {{'a': keras.{part}.serialize(self.a)}}\n"
          for part in ("initializers", "regularizers", "constraints", "activations")}
FORMS |= {name: f"{name}()\n    return x + tf.zeros([3])" for name in (
    "keras.backend.clear_session", "keras.backend.set_image_data_format",
    "keras.applications.imagenet_utils.validate_activation")}


def snippet(side: str, name: str) -> str:
    form = FORMS.get(name, "")
    if side == "tf":
        if form.startswith("TOP"):
            return f"import tensorflow as tf\nimport keras\n\n\n{form[4:]}"
        if form.startswith("CLASS"):
            first, _, last = form[6:].partition(" ; ")
            return ("import tensorflow as tf\nimport keras\n\n\n"
                    "class M(keras.layers.Layer):\n    def __init__(self):\n"
                    f"        super().__init__()\n        {first}\n\n"
                    f"    def call(self, x):\n        {last}\n")
        return f"import tensorflow as tf\nimport keras\n\n\ndef f(x):\n    {form or f'return {name}(x)'}\n"
    head = "import torch\n\n\nclass M(torch.nn.Module):\n"
    weight = ".init." in name
    made = form[5:] if form.startswith("INIT") else "self.a = torch.nn.Linear(3, 2)" if weight else (
        f"self.a = {name}()" if ".nn." in name and name.rpartition(".")[2][0].isupper() else "")
    if made:
        after = f"\n        {name}(self.a.weight)" if weight else ""
        back = "x + self.a" if "Parameter" in name else "self.a(x)"
        return (f"{head}    def __init__(self):\n        super().__init__()\n        {made}{after}\n\n"
                f"    def forward(self, x):\n        return {back}\n")
    return f"{head}    def forward(self, x: torch.Tensor):\n        {form or f'return {name}(x)'}\n"


def served(side: str, name: str) -> str:
    """'rule' where the translator knows what this is, 'none' where it says why it cannot be ported, else ''."""
    direction = {"tf": "tf2torch", "torch": "torch2tf"}[side]
    text = snippet(side, name)
    found = translate(text, direction)
    codes = {f.code for f in found.findings}
    if not found.changed or codes & {"P201", "P205", "P206", "P901"}:
        return ""
    return "none" if codes & {"P203", "P207"} else "rule"


def rows(folder: Path) -> Iterator[tuple[str, str, int]]:
    """(side, name, call sites in model files)"""
    for side in ("tf", "torch"):
        sites: Counter[str] = Counter()
        for line in csv.DictReader((folder / f"{side}_api.csv").open()):
            symbol = line["symbol"]
            symbol = f"tf_{symbol}" if symbol.startswith("slim.") else symbol  # the package tf_slim
            sites[names.canonical(symbol)] += int(line["call_sites_in_model_files"] or 0)
        yield from ((side, name, n) for name, n in sites.most_common() if n)
    for line in csv.DictReader((folder / "torch_methods.csv").open()):
        if line["is_tensor_method"] == "1" and not line["method"].startswith("__"):
            yield "method", f"tensor.{line['method']}", int(line["call_sites"])


def main(folder: Path) -> None:
    with (table.folder() / "frequency.csv").open("w") as out:
        print("side,name,sites,by", file=out)
        for side, name, sites in rows(folder):
            known = coverage.rows_of(side, name)
            core = name.split(".")[0] in ("tf", "keras", "torch")
            told = all(row.none for row in known)  # true as well where there is none
            by = served(side, name) if told and side != "method" and core else ""
            by = "" if known and by == "none" else by
            print(f"{side},{name},{sites},{by}", file=out)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
