"""Functions of the user's that return an initialiser: `def init(scale): return TruncatedNormal(stddev=scale)`."""

from __future__ import annotations

import libcst as cst


def returned(function: cst.FunctionDef | cst.Lambda) -> cst.BaseExpression | None:
    """What it returns, if it does nothing else."""
    if isinstance(function, cst.Lambda):
        return function.body
    lines = [line.body[0] if isinstance(line, cst.SimpleStatementLine) else line for line in function.body.body]
    lines = [line for line in lines if not isinstance(line, cst.Expr)]  # a docstring
    return lines[0].value if len(lines) == 1 and isinstance(lines[0], cst.Return) else None


def given_by(call: cst.Call, function: cst.FunctionDef | cst.Lambda) -> dict[str, cst.BaseExpression] | None:
    """Parameter -> what the call gives it, or its default; None where stars hide that, or one is missing."""
    params = [*function.params.params, *function.params.kwonly_params]
    names = [p.name.value for p in function.params.params]
    if any(a.star for a in call.args) or sum(a.keyword is None for a in call.args) > len(names):
        return None
    found = {p.name.value: p.default for p in params if p.default is not None}
    for i, a in enumerate(call.args):
        found[a.keyword.value if a.keyword is not None else names[i]] = a.value
    return found if found.keys() == {p.name.value for p in params} else None
