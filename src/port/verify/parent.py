"""Start both children side by side, read what they wrote, and judge it. No framework is imported here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from . import compare, judge, store, verdict
from .cases import Case, Settings
from .verdict import Verdict

HERE = Path(__file__).resolve().parent
# A child loads this folder as a package of a neutral name: `port` need not be installed where its framework is.
BOOT = ("import importlib.util as u,sys;s=u.spec_from_file_location('port_verify',sys.argv[1]+'/__init__.py',"
        "submodule_search_locations=[sys.argv[1]]);m=u.module_from_spec(s);sys.modules['port_verify']=m;"
        "s.loader.exec_module(m);import importlib;importlib.import_module('port_verify.child').main(sys.argv[2])")


def verify(source: Path, ported: Path, direction: str, cases: list[Case] | None = None,
           settings: Settings | None = None) -> list[Verdict]:
    """`direction`: tf2torch or torch2tf. Without cases, those found in the source file."""
    settings = settings or Settings()
    if direction not in ("tf2torch", "torch2tf"):
        raise ValueError(f"direction {direction!r}")
    sides = direction.split("2")
    with tempfile.TemporaryDirectory(prefix="port-verify-") as name:
        folder = Path(name)
        jobs = _jobs(source, ported, sides, cases or [], settings, folder)
        if settings.against:
            (folder / "source.npz").write_bytes(Path(settings.against).read_bytes())
            jobs = [job for job in jobs if job["role"] == "target"]
        elif settings.record:
            jobs = [job for job in jobs if job["role"] == "source"]
        faults = _run(jobs, settings, folder)
        found = _verdicts(folder, faults, cases or [], settings)
        wanted = [i for i, v in enumerate(found) if v.status == verdict.MISMATCH and v.worst < compare.TRIED
                  and v.stage in ("numeric", "behaviour") and not v.attributed]
        if "float64" in settings.dtypes and wanted and not settings.against:
            _run([{**jobs[0], "role": "attribute", "wanted": wanted}], settings, folder)
            found = _verdicts(folder, faults, cases or [], settings)
        return found


def _jobs(source: Path, ported: Path, sides: list[str], cases: list[Case], settings: Settings, folder: Path
          ) -> list[dict[str, Any]]:
    table = yaml.safe_load((HERE / "weights.yaml").read_text())
    common = {"folder": str(folder), "dtypes": list(settings.dtypes), "seed": settings.seed, "steps": settings.steps,
              "attribute": bool(settings.against),  # by the port alone; else the source is asked, which is sharper
              "timeout": settings.timeout, "table": table,
              "cases": [{"call": c.call, "inputs": list(c.inputs), "name": c.name, "ported_call": c.ported_call}
                        for c in cases]}
    return [{**common, "role": role, "side": side, "path": str(Path(path).resolve()),
             "device": settings.device if side == "torch" else "cpu"}
            for role, side, path in (("source", sides[0], source), ("target", sides[1], ported))]


def _environment(job: dict[str, Any]) -> dict[str, str]:
    env = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0", KERAS_BACKEND="tensorflow",
               PYTHONUNBUFFERED="1", OMP_NUM_THREADS=os.environ.get("OMP_NUM_THREADS", "1"))
    if job["device"] == "cpu":
        env["CUDA_VISIBLE_DEVICES"] = ""
    return env


def _run(jobs: list[dict[str, Any]], settings: Settings, folder: Path) -> dict[str, str]:
    """{role: what went wrong}. A source that fails ends the wait of the port's side."""
    running = {}
    for job in jobs:
        path = folder / f"{job['role']}.json"
        path.write_text(json.dumps(job))
        python = {"tf": settings.tf_python, "torch": settings.torch_python}[job["side"]] or sys.executable
        log = open(folder / f"{job['role']}.log", "wb")  # noqa: SIM115
        try:
            running[job["role"]] = subprocess.Popen([python, "-P", "-c", BOOT, str(HERE), job["side"], str(path)],
                                                    env=_environment(job), stdout=log, stderr=log, cwd=folder)
        except OSError as fault:
            return {job["role"]: f"{python} cannot be started: {fault}"}
        finally:
            log.close()
    return _wait(running, settings.timeout, folder)


def _wait(running: dict[str, subprocess.Popen[bytes]], timeout: float, folder: Path) -> dict[str, str]:
    end, faults = time.monotonic() + timeout, {}
    try:
        while any(p.poll() is None for p in running.values()):
            if time.monotonic() > end:
                return {role: f"timed out after {timeout:g} s" for role, p in running.items() if p.poll() is None}
            source = running.get("source")
            if source is not None and source.poll() is not None and not (folder / "source.npz").exists():
                break
            time.sleep(0.03)
        for role, process in running.items():
            if process.poll() is not None and not (folder / f"{role}.npz").exists():
                faults[role] = f"the process ended with code {process.returncode}: {_last_line(folder / f'{role}.log')}"
        return faults
    finally:
        for process in running.values():
            if process.poll() is None:
                process.kill()
                process.wait()


def _last_line(path: Path) -> str:
    lines = [line for line in path.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1][:300] if lines else "no output"


def _verdicts(folder: Path, faults: dict[str, str], cases: list[Case], settings: Settings) -> list[Verdict]:
    asked = cases or [Case("")]
    if not (folder / "source.npz").exists():
        text = faults.get("source", "the source side gave no result")
        return [judge.without(c, verdict.UNVERIFIED, f"source: {text}") for c in asked]
    head, parts = store.unbundle(folder / "source.npz")
    if "fatal" in head:
        return [_fatal(c, "source", head["fatal"]) for c in asked]
    if not parts:
        return [judge.without(Case(""), verdict.UNVERIFIED,
                              "no model or builder was found in the source; "
                              "say --call 'Model(...)' --input 'f32[...]'")]
    known = [Case(meta["call"], tuple(meta["specs"][0]) if meta.get("specs") else (), meta.get("name", ""))
             for meta, _ in parts]
    if settings.record:
        Path(settings.record).write_bytes((folder / "source.npz").read_bytes())
        return [_recorded(c, meta) for c, (meta, _) in zip(known, parts, strict=True)]
    if not (folder / "target.npz").exists():
        text = faults.get("target", "the port's side gave no result")
        return [judge.without(c, verdict.UNVERIFIED, f"port: {text}") for c in known]
    other, found = store.unbundle(folder / "target.npz")
    if "fatal" in other:
        return [_fatal(c, "port", other["fatal"]) for c in known]
    extra = store.read(folder / "attribute.npz")[0]["found"] if (folder / "attribute.npz").exists() else {}
    return [judge.judge(own, ({**meta, "attributed": extra[str(i)]} if str(i) in extra else meta, arrays))
            for i, (own, (meta, arrays)) in enumerate(zip(parts, found, strict=True))]


def _fatal(case: Case, side: str, text: str) -> Verdict:
    missing = "cannot be imported" in text
    return judge.without(case, verdict.UNVERIFIED if missing else verdict.ERROR, f"{side}: {text}")


def _recorded(case: Case, meta: dict[str, Any]) -> Verdict:
    if "error" in meta:
        return judge.without(case, verdict.ERROR, f"source: {meta['error']}")
    return judge.without(case, verdict.UNVERIFIED, "recorded; compare it with --against")


__all__ = ["Case", "Settings", "Verdict", "verify"]
