"""Parameters of torch functions as PyTorch has them: names on stdin, {name: [positional, all]} out, as JSON."""

import inspect
import json
import re
import sys
from functools import reduce

import torch


def parameters(name):
    """From the function itself, or the first line of its documentation; empty if neither tells."""
    try:
        found = reduce(getattr, name.split(".")[1:], torch)
        params = inspect.signature(found).parameters.values()
        if any(p.kind is p.VAR_POSITIONAL for p in params):
            return [], []
        return [p.name for p in params if p.kind is p.POSITIONAL_OR_KEYWORD], [p.name for p in params]
    except AttributeError:
        return [], []
    except (ValueError, TypeError):
        text = re.search(rf"^\s*{re.escape(name.rpartition('.')[2])}\((.*?)\) ->", found.__doc__ or "", re.M)
    if text is None:
        return [], []
    parts = [p.strip() for p in re.split(r",\s*(?![^()\[\]]*[)\]])", text[1].replace("\\*", "*"))]
    names = [re.split(r"[=: ]", p)[0] for p in parts]
    return (names[:names.index("*")] if "*" in names else names), names


if __name__ == "__main__":
    json.dump({name: parameters(name) for name in json.load(sys.stdin)}, sys.stdout)
