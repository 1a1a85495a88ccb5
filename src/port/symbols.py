"""Symbols of the frameworks: their spellings, and which text may use them. Imports nothing heavy."""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from itertools import accumulate

from port.aliases import ALIASES
from port.internals import PUBLIC

# Spellings of one symbol; applied in order to the dotted name.
_PREFIXES = [(re.compile(pattern), to) for pattern, to in (
    (r"^tensorflow(?=\.|$)", "tf"),
    (r"^tf\.compat\.v2(?=\.|$)", "tf"),
    (r"^tf\.compat\.v1\.(?=(?:TensorShape|SparseTensor|GradientTape|cond|while_loop|map_fn|control_dependencies"
     r"|device)$)", "tf."),  # the same in both versions, as far as rules read their arguments
    (r"^tf\.(_api\.v2|python)\.keras(?=\.|$)", "keras"),
    (r"^tf\.(compat\.v1\.)?keras(?=\.|$)", "keras"),
    (r"^(tf_keras|tensorflow_keras)(?=\.|$)", "keras"),
    (r"^tensorflow_probability(?=\.|$)", "tfp"),
    (r"^tf_slim(?=\.|$)", "tf.contrib.slim"),
    (r"^tf\.(losses|metrics|optimizers)\.(schedules\.)?(?=[A-Z]\w*$)", r"keras.\1."),
    (r"^tf\.initializers\.(?=\w+$)", r"keras.initializers."),
    (r"^keras\.(src|api|_tf_keras\.keras)(?=\.|$)", "keras"),
    (r"^keras\.(models|engine\.training|engine\.functional|models\.\w+|training)\.(Model|Functional)$", "keras.Model"),
    (r"^keras\.Functional$", "keras.Model"),
    (r"^keras\.(models|engine\.sequential|models\.sequential)\.Sequential$", "keras.Sequential"),
    (r"^keras\.(layers|engine|engine\.input_layer|layers\.core\.input_layer)\.Input$", "keras.Input"),
    (r"^keras\.(Layer|engine\.Layer|engine\.(topology|base_layer)\.Layer|layers\.layer\.Layer)$", "keras.layers.Layer"),
    (r"^keras\.layers\.(?:[a-z_0-9]+\.)+(?=[A-Z])", "keras.layers."),
    (r"^keras\.(initializers|activations|losses|metrics|optimizers|regularizers|constraints)\.[a-z_]+\.(?=[A-Z])",
     r"keras.\1."),
    (r"^keras\.backend\.(tensorflow_backend|common|config)(?=\.)", "keras.backend"),
    (r"^keras\.backend\.(tensorflow\.)?(numpy|nn|math|linalg|core)(?=\.)", "keras.ops"),
    (r"^keras\.backend\.(is_tensor|convert_to_numpy|convert_to_tensor)$", r"keras.ops.\1"),
    (r"^keras\.backend\.(tensorflow\.)?random\.(?=[a-z])", "keras.random."),
    (r"^keras\.backend\.random_binomial$", "keras.backend.random_bernoulli"),  # its name in Keras 2
    (r"^keras\.backend\.tf(?=\.)", "tf"),
    (r"^keras\.metrics\.(?=(binary|categorical|sparse_categorical)_crossentropy$|(\w+_)?hinge$|huber$|poisson$|mean_\w+$)",
     "keras.losses."),
    (r"^keras\.metrics\.(?=kl_divergence$|log_cosh$)", "keras.losses."),
    (r"^keras\.ops\.(numpy|nn|core|math|linalg)(?=\.)", "keras.ops"),
    (r"^torch\.nn\.modules\.\w+(?=\.[A-Z])", "torch.nn"),
    (r"^torch\.nn\.parameter\.(?=[A-Z])", "torch.nn."),
)]
FRAMEWORKS = {"tf2torch": ("tf", "keras"), "torch2tf": ("torch",)}
MARKS = {"tf2torch": ("tensorflow", "keras"), "torch2tf": ("torch",)}


def above(module: str) -> tuple[str, ...]:
    """`a`, `a.b` and `a.b.c` of `a.b.c`: `import a.b.c` binds the first one, and reads them all."""
    parts = module.split(".")
    return tuple(".".join(parts[:n + 1]) for n in range(len(parts)))


@lru_cache(1 << 14)
def canonical(dotted: str) -> str:
    for pattern, to in _PREFIXES:
        dotted = pattern.sub(to, dotted)
    dotted = PUBLIC.get(dotted, dotted)
    return ALIASES.get(dotted, dotted)


TOO_DEEP = "an expression or statement is nested too deeply"
LONGEST = 2_000_000  # characters; the longest files that people write have a tenth of that
DEEPEST = 200  # brackets; Python itself takes no more
_DEPTH = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}


def too_much(text: str) -> str:
    """Why no parser should be asked to read this text; '' if nothing speaks against it.

    libcst's parser dies of brackets that are nested thousands deep, takes gigabytes for ten megabytes, and reads null
    bytes in comments, which Python does not.
    """
    if "\0" in text:
        return "not valid Python: it holds null bytes"
    if len(text) > LONGEST:
        return f"longer than {LONGEST:,} characters"
    if max(accumulate(map(_DEPTH.__getitem__, re.findall(r"[()\[\]{}]", text))), default=0) <= DEEPEST:
        return ""
    try:
        ast.parse(text)  # brackets in strings were counted too
        return ""
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return f"brackets are nested more than {DEEPEST} deep"


def uses(text: str, direction: str) -> bool:
    """May this text use the framework that the direction comes from?"""
    return any(mark in text for mark in MARKS[direction])
