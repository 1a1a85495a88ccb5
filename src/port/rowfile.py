"""Read `mappings/*.yaml` and check every row: text to the plain data that `table` caches."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

import yaml

from port.rowtext import Bad, RowError, argument, braces, each, expr_names, parse_signature

Plain = dict[str, Any]
MAPS = ("args", "only", "only_torch", "fill", "fixed", "expr", "weights", "init")
LISTS = ("ignore", "ignore_torch", "facts", "facts_torch", "dtypes")
TEXTS = ("layout", "via", "differs", "residue", "note", "none", "kind", "returns", "attr")
KEYS = {"tf", "torch", "call", "draws", "grad", "sample", *MAPS, *LISTS, *TEXTS}
INHERITED = ("tf", "ignore", "returns", "layout", "note")  # by later rows of a list from its first
INHERITED_TORCH = ("torch", "ignore_torch", "returns", "layout", "args")  # the same, where the first has no `tf`
_LONGEST, _LARGEST = 1_000_000, 100_000  # of a file that a project adds: characters, values
SAMPLE_KEYS = {"call", "training", "build"}  # keys of a sample that are no parameter


def compile_rows(files: dict[str, str]) -> Plain:
    """{'rows': [plain row], 'names' / 'tf' / 'torch': name to row numbers}."""
    rows: list[Plain] = []
    tables: dict[str, dict[str, list[int]]] = {"names": {}, "tf": {}, "torch": {}}
    faults: list[str] = []
    for file, text in files.items():
        for name, entry in _entries(file, text, faults):
            try:
                if name in tables["names"] and rows[tables["names"][name][0]]["file"] != file:
                    raise Bad(f"also defined in {rows[tables['names'][name][0]]['file']}")
                new = [row | {"name": name, "file": file} for row in _rows(entry)]
            except Bad as fault:
                faults.append(f"{file}: {name}: {fault}")
                continue
            except (AttributeError, IndexError, KeyError, SyntaxError, TypeError, ValueError) as fault:
                faults.append(f"{file}: {name}: is not understood ({fault})")
                continue
            for row in new:
                _register(tables, row, len(rows))
                rows.append(row)
    if faults:
        raise RowError("\n".join(faults))
    for numbers in tables["torch"].values():
        numbers.sort(key=lambda number: _age(rows[number]))
    return {"rows": rows, **tables}


def check_foreign(file: str, text: str) -> None:
    """Rows that a project adds: no bombs, and no shapes that no row has; RowError with one line a fault."""
    if len(text) > _LONGEST:
        raise RowError(f"{file}: longer than {_LONGEST:,} characters")
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if root is not None and _spread(root, {}) > _LARGEST:
            raise RowError(f"{file}: its anchors spread to more than {_LARGEST:,} values")
        content = yaml.safe_load(text)
    except yaml.YAMLError as fault:
        raise RowError(f"{file}: {' '.join(str(fault).split())}") from None
    except RecursionError:
        raise RowError(f"{file}: nested too deeply") from None
    except ValueError as fault:
        raise RowError(f"{file}: {fault}") from None
    if content is not None and not isinstance(content, dict):
        raise RowError(f"{file}: must be a mapping of names to rows")
    for name, value in (content or {}).items():
        for entry in value if isinstance(value, list) else [value]:
            if problem := _misshapen(entry):
                raise RowError(f"{file}: {name}: {problem}")


def _spread(node: yaml.Node, known: dict[int, int]) -> int:
    """How many values stand below a node once its anchors are written out."""
    if id(node) not in known:
        known[id(node)] = _LARGEST + 1  # of a node inside itself
        parts = [] if isinstance(node, yaml.ScalarNode) else node.value
        below = [n for part in parts for n in (part if isinstance(part, tuple) else (part,))]
        known[id(node)] = min(1 + sum(_spread(n, known) for n in below), _LARGEST + 1)
    return known[id(node)]


def _misshapen(entry: Any) -> str:
    if not isinstance(entry, dict) or not all(isinstance(key, str) for key in entry):
        return "a row is a mapping of names to values"
    for key, value in entry.items():
        if key in MAPS and not isinstance(value, dict):
            return f"`{key}` must be a mapping"
        if key in TEXTS and not isinstance(value, str):
            return f"`{key}` must be text"
        texts = value if isinstance(value, list) else [value]
        if key in ("tf", "torch", "call") and not all(isinstance(text, str) for text in texts):
            return f"`{key}` must be signatures, as text"
        if key == "sample" and not all(isinstance(one, dict) for one in texts):
            return "`sample` must be mappings of parameters to values"
    return ""


def _age(row: Plain) -> int:
    """What was written for torch, then today's `tf.X`, old spellings last: how a torch name is read backwards."""
    if not row.get("tf"):
        return -1
    name = row["tf"][0][0]
    return 2 if name.startswith(("tf.compat.", "keras.backend.")) else 0 if name.startswith("tf.") else 1


def _register(tables: dict[str, dict[str, list[int]]], row: Plain, number: int) -> None:
    tables["names"].setdefault(row["name"], []).append(number)
    own = any(signature[0].startswith("helpers.") for signature in row.get("tf", ()))  # only read back
    for side in ("tf",) if own else ("tf", "torch"):
        for name in dict.fromkeys(signature[0] for signature in row.get(side, ())):
            tables[side].setdefault(name, []).append(number)


def _entries(file: str, text: str, faults: list[str]) -> Iterator[tuple[str, Any]]:
    """(row name, mapping) of one file; names that begin with a dot only hold anchors."""
    try:
        content = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) or {}
    except yaml.YAMLError as fault:
        faults.append(f"{file}: {fault}")
        return
    for name in _repeated(text):
        faults.append(f"{file}: {name}: defined twice")
    for name, value in content.items():
        if str(name).startswith("."):
            continue
        first = value[0] if isinstance(value, list) else value
        for entry in value if isinstance(value, list) else [value]:
            yield str(name), _inherited(first, entry) | entry


def _inherited(first: Plain, entry: Plain) -> Plain:
    keys = INHERITED if "tf" in first else INHERITED_TORCH
    found = {k: first[k] for k in keys if k in first and "none" not in entry}
    if "args" in found and "torch" in entry:  # an overload may lack parameters of the first
        texts = entry["torch"] if isinstance(entry["torch"], list) else [entry["torch"]]
        has = {p[0] for text in texts for p in parse_signature(text)[0][1]}
        found["args"] = {name: arg for name, arg in found["args"].items() if name in has}
    return found


def _repeated(text: str) -> list[str]:
    names = re.findall(r"^([\w.]+):", text, re.MULTILINE)
    return [name for name in dict.fromkeys(names) if names.count(name) > 1]


def _rows(entry: Plain) -> Iterator[Plain]:
    """The rows of one entry: one for each way of naming the TF parameters."""
    if unknown := entry.keys() - KEYS:
        raise Bad(f"unknown key {', '.join(sorted(unknown))}")
    row = _normal(entry)
    groups: dict[tuple[tuple[str, str], ...], list[tuple[Any, ...]]] = {}
    for signature, renamed in row.pop("tf", []):
        groups.setdefault(tuple(sorted(renamed.items())), []).append(signature)
    row["torch"] = [signature for signature, _ in row.get("torch", [])]
    _check_torch(row | {"tf": groups})
    named = {p[0] for _, signatures in groups.items() for s in signatures for p in s[1]}
    named |= {alias for renamed in groups for alias, _ in renamed}
    _check_names(row, named)
    every = [signature for signatures in groups.values() for signature in signatures]
    for renamed, signatures in groups.items():
        if held := [s for s in signatures if _holds(row, dict(renamed), s, every)]:
            yield _check(_rename(row, dict(renamed), held))
    if not groups:
        yield _check(row)


def _normal(entry: Plain) -> Plain:
    row: Plain = {key: entry[key] for key in entry if key in MAPS + TEXTS}
    for side in ("tf", "torch"):
        texts = entry.get(side, [])
        texts = [texts] if isinstance(texts, str) else texts
        row[side] = [parse_signature(t) for text in texts for t in braces(text)]
    if "call" in entry:
        row["call"] = parse_signature(entry["call"])[0]
    row["args"] = {name: argument(arg) for name, arg in entry.get("args", {}).items()}
    for key in ("only", "only_torch"):
        row[key] = {name: tuple(v if isinstance(v, list) else [v]) for name, v in entry.get(key, {}).items()}
    for key in LISTS:
        value = entry.get(key, ())
        row[key] = (value,) if isinstance(value, str) else tuple(value)
    samples = entry.get("sample", [])
    samples = [samples] if isinstance(samples, dict) else samples
    row["sample"] = tuple(one for sample in samples for one in each(sample))
    row |= {flag: entry[flag] for flag in ("draws", "grad") if flag in entry}
    if ":" in row.get("returns", ""):
        row["returns"], _, row["dtype"] = row["returns"].partition(":")
    row["kind"] = entry.get("kind") or _kind(row)
    return row


def _kind(row: Plain) -> str:
    signature, _ = (row["tf"] or row["torch"])[0]
    name, _params, method, attribute = signature
    if name.endswith(".*"):
        return "prefix"
    if method:
        return "method"
    if attribute:
        return "attribute" if name.startswith("tensor.") else "constant"
    if not name.rpartition(".")[2].lstrip("_")[:1].isupper():
        return "function"
    names = [s[0] for s, _ in row["tf"] + row["torch"]]
    return "layer" if all(re.match(r"keras\.layers\.|torch\.nn\.", n) for n in names) else "object"


def _rename(row: Plain, renamed: dict[str, str], signatures: list[tuple[Any, ...]]) -> Plain:
    """The row for one group of TF signatures, in their own parameter names, without what they do not have."""
    has = {p[0] for s in signatures for p in s[1]}

    def new(name: str) -> str:
        return renamed.get(name, name)

    def keep(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(new(n) for n in names if new(n) in has)

    row = row | {"tf": signatures, "ignore": keep(row["ignore"])}
    row["args"] = {new(n): (to, via, keep(with_), of and new(of))
                   for n, (to, via, with_, of) in row["args"].items() if new(n) in has}
    row["facts"] = tuple(re.sub(r"\w+(?=[,)])", lambda m: new(m[0]), f) for f in row["facts"])
    for key in ("only", "init"):
        if key in row:
            row[key] = {new(n): v for n, v in row[key].items() if new(n) in has}
    row["sample"] = tuple({new(n): v for n, v in s.items()} for s in row["sample"]
                          if all(new(n) in has or n in SAMPLE_KEYS for n in s))
    if "torch" in row.get("expr", {}):
        text = row["expr"]["torch"]
        for node in reversed(expr_names(text)):
            text = text[:node.col_offset] + new(node.id) + text[node.col_offset + len(node.id):]
        row["expr"] = row["expr"] | {"torch": text}
    return row


def _holds(row: Plain, renamed: dict[str, str], signature: tuple[Any, ...], every: list[Any]) -> bool:
    """Whether the row makes sense for a spelling that may lack parameters: those have their default."""
    has = {p[0] for p in signature[1]}
    for name in {n for n in row["only"] if renamed.get(n, n) not in has}:
        default = next((p[1] for s in every for p in s[1] if p[0] == name), None)
        if default is None or not any(default in (ast.unparse(ast.Constant(v)), v) for v in row["only"][name]):
            return False
    others = {p[0] for s in every for p in s[1]} - has
    return not any(n.id in others and n.id not in renamed
                   for n in expr_names(row.get("expr", {}).get("torch", "0")))


def _check_names(row: Plain, named: set[str]) -> None:
    """Every TF name that the row uses is a parameter of one of its TF signatures."""
    if not row.get("tf") and not named:
        return
    used = {*row["args"], *row["only"], *row.get("init", {})}
    used |= {n for arg in row["args"].values() for n in arg[2]}
    used |= {arg[3] for arg in row["args"].values() if arg[3]} - {p[0] for p in row.get("call", ("", ()))[1]}
    if row["kind"] == "function":
        used |= {n for sample in row["sample"] for n in sample} - SAMPLE_KEYS
    if unknown := used - named:
        raise Bad(f"no TF signature has a parameter {', '.join(sorted(unknown))}")


def _check_torch(row: Plain) -> None:
    if row.get("via") or row.get("none") or not row["torch"]:
        return
    own = not row["tf"]  # a row that only torch has: its arguments are torch's
    targets = {name if own else arg[0] for name, arg in row["args"].items()}
    targets |= {*row.get("fill", {}), *row.get("fixed", {}), *row["only_torch"]}
    free = {n.id for side in ("tf", "keras") for n in expr_names(row.get("expr", {}).get(side, "0"))}
    known = targets | {*row["ignore_torch"]} | free
    known |= {name for arg in row["args"].values() for name in (arg[3] or "").split(",")} if own else set()
    known |= {name for fact in row["facts_torch"] for name in re.findall(r"\w+(?=[,)])", fact)}
    has = {p[0] for s in row["torch"] for p in s[1]} | {p[0] for p in row.get("call", ("", ()))[1]}
    for signature in row["torch"]:
        for name, *_ in signature[1]:
            if name not in known:
                raise Bad(f"parameter {name!r} of {signature[0]} is not accounted for")
    if unknown := (targets | {*row["ignore_torch"]} | (free if own else set())) - has - {""}:
        raise Bad(f"no torch signature has a parameter {', '.join(sorted(unknown))}")


def _check(row: Plain) -> Plain:
    """Every parameter of every TF signature is accounted for, and the row leads somewhere."""
    text = row.get("expr", {}).get("torch")
    if row.get("none"):
        return _slim(row)
    if not (row["torch"] or row.get("expr") or row.get("via")):
        raise Bad("leads nowhere: give `torch`, `expr`, `via` or `none`")
    if not (row.get("tf") or row.get("expr") or row.get("via")):
        raise Bad("comes from nowhere: give `tf`, `expr`, `via` or `none`")
    if row.get("via"):
        return _slim(row)
    free = {n.id for n in expr_names(text)} if text else set()
    known = {*row["args"], *row["only"], *row["ignore"], *row.get("init", {})} | free
    known |= {n for arg in row["args"].values() for n in arg[2]}
    for signature in row.get("tf", ()):
        names = [p[0] for p in signature[1]]
        if missing := [n for n in names if n not in known]:
            raise Bad(f"parameter {missing[0]!r} of {signature[0]} is not accounted for")
    for signature in row.get("tf", ()):
        if unknown := free - {p[0] for p in signature[1]}:
            raise Bad(f"expression {text!r}: {signature[0]} has no parameter {', '.join(sorted(unknown))}")
    return _slim(row)


def _slim(row: Plain) -> Plain:
    return {key: tuple(value) if isinstance(value, list) else value
            for key, value in row.items() if value or value is False}
