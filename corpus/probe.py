"""Build the ported builders of one package in one process: what cannot even be built need not be verified.

`python -m corpus.probe JOB` writes one line of JSON per builder: its name, and what went wrong ('' for nothing).
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from corpus.fetch import CACHE
from corpus.ported import ROOT
from port.verify import modules, user


def run(side: str, name: str, folder: Path, calls: Sequence[Mapping[str, str]], timeout: float,
        environment: Mapping[str, str]) -> dict[str, str]:
    """{builder: what went wrong, '' if it was built}; `calls` have name, file and call. Not reached: not in it."""
    job, out = CACHE / f"probe-{side}-{name}.json", CACHE / f"probe-{side}-{name}.txt"
    job.write_text(json.dumps({"side": side, "folder": str(folder), "calls": list(calls), "out": str(out)}))
    out.unlink(missing_ok=True)
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT), environment.get("PYTHONPATH", "")])
    env = {**os.environ, **environment, "PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "",
           "OMP_NUM_THREADS": "1"}
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run([sys.executable, "-P", "-m", "corpus.probe", str(job)], capture_output=True, timeout=timeout,
                       env=env, cwd=CACHE, check=False)
    return dict(json.loads(line) for line in out.read_text().splitlines()) if out.exists() else {}


def main(path: str) -> None:
    job = json.loads(Path(path).read_text())
    importlib.import_module({"tf": "keras", "torch": "torch"}[job["side"]])
    loaded: dict[str, Any] = {}
    with open(job["out"], "w") as out:
        for entry in job["calls"]:
            fault = build(entry, Path(job["folder"]), job["side"], loaded)
            print(json.dumps((entry["name"], fault)), file=out, flush=True)


def build(entry: dict[str, str], folder: Path, side: str, loaded: dict[str, Any]) -> str:
    """What goes wrong; a size that verify finds in the input is none."""
    name, call = modules.split(entry["call"])
    path = modules.find(folder, name) if name else folder / entry["file"]
    try:
        if str(path) not in loaded:
            known = name and name.partition(".")[0] in sys.modules
            loaded[str(path)] = importlib.import_module(name) if known else user.load(path, "probe", name)
        made = eval(call, vars(loaded[str(path)]))
    except TypeError as fault:
        return "" if "missing" in str(fault) and "required" in str(fault) else user.explain(fault, str(path))
    except BaseException as fault:
        return user.explain(fault, str(path))
    if side == "torch" and any(c.__module__.partition(".")[0] == "keras" for c in type(made).__mro__):
        return f"the port still makes a Keras {type(made).__name__}"
    if side == "tf" and any(c.__module__.partition(".")[0] == "torch" for c in type(made).__mro__):
        return f"the port still makes a PyTorch {type(made).__name__}"
    return ""


if __name__ == "__main__":
    main(sys.argv[1])
