"""A lambda reads variables when it is called; a module of the source was given their values when it was made."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.tree import find, loads, memo, target_names, walk

EQUAL = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
SPACE = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))


def bound_early(root: cst.CSTNode, new: Any) -> Any:
    """The new code, whose lambdas keep the values of variables that change: `lambda x, size=size: ...`.

    `root`: the function of the source, or the module, that the code stands in.
    """
    lambdas = find(new, cst.Lambda)
    changing = _changing(root) if lambdas else frozenset()
    for old in lambdas:
        own = {p.name.value for p in old.params.params}
        names = sorted((loads(old.body) & changing) - own)
        if names:
            params = [p.with_changes(comma=SPACE) for p in old.params.params]
            params += [cst.Param(cst.Name(n), default=cst.Name(n), equal=EQUAL,
                                 comma=SPACE if n != names[-1] else cst.MaybeSentinel.DEFAULT) for n in names]
            made = old.with_changes(params=old.params.with_changes(params=params))
            new = made if new is old else new.deep_replace(old, made)
    return new


@memo
def _changing(root: cst.CSTNode) -> frozenset[str]:
    """Variables that have more than one value while the function runs."""
    return frozenset(_assigned(root))


def _assigned(function: cst.CSTNode) -> set[str]:
    seen = {p.name.value for p in walk(function) if isinstance(p, cst.Param)}
    found: set[str] = set()
    for node in walk(function):
        if isinstance(node, cst.For | cst.CompFor | cst.AugAssign | cst.NamedExpr):
            found |= target_names(node.target)
        elif isinstance(node, cst.Assign):
            targets = {n for t in node.targets for n in target_names(t.target)}
            found |= targets & seen
            seen |= targets
        if isinstance(node, cst.For | cst.While):
            found |= {n for a in walk(node.body) if isinstance(a, cst.Assign) for t in a.targets
                      for n in target_names(t.target)}
    return found
