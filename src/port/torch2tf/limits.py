"""Arguments of which Keras knows one value, that a parameter hands on: `BatchNorm2d(n, track_running_stats=track)`.

Where that value is the parameter's default, the constructor raises for any other, and says so; else it is refused.
"""

from __future__ import annotations

import libcst as cst

from port.build import statement
from port.torch2tf import optional
from port.torch2tf.layer_args import UNKNOWN, At
from port.torch2tf.spread import bindings


def only(at: At, name: str, value: object, message: str) -> None:
    """Refuse the layer unless the argument has this value, or the line above it may ask for that."""
    if at.is_lit(name, value):
        return
    written, function = at.source(name), at.w.function
    if at.w.guards is None or at.lit(name) is not UNKNOWN or function is None or not isinstance(
            written, cst.Name) or written.value not in function.params or bindings(function.node)[written.value] != 1:
        raise at.refuse(message)
    if optional.by_default(at.w.it, function, written) is not value:
        raise at.refuse(message)
    at.w.report("P202", f"`nn.{at.short}`: {message}: another `{written.value}` than {value} raises", at.node)
    word = written.value
    test = {"True": f"not {word}", "False": word, "None": f"{word} is not None"}.get(str(value), f"{word} != {value!r}")
    guard = statement(f"if {test}:\n    # port: P202 {message}\n"
                      '    raise NotImplementedError("this setting is not ported from PyTorch")\n')
    if not any(guard.deep_equals(known) for known in at.w.guards):
        at.w.guards.append(guard)
