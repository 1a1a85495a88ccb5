"""Start both children side by side, read what they wrote, and judge it. No framework is imported here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import yaml

from . import compare, judge, kinks, modules, store, verdict, widened
from .cases import Case, Settings
from .verdict import Verdict

HERE = Path(__file__).resolve().parent
# A child loads this folder as a package of a neutral name: `port` need not be installed where its framework is.
BOOT = ("import importlib.util as u,sys;s=u.spec_from_file_location('port_verify',sys.argv[1]+'/__init__.py',"
        "submodule_search_locations=[sys.argv[1]]);m=u.module_from_spec(s);sys.modules['port_verify']=m;"
        "s.loader.exec_module(m);import importlib;importlib.import_module('port_verify.child').main(sys.argv[2])")


DIRECTIONS = ("tf2torch", "torch2tf", "tf2tf", "torch2torch")


def verify(source: Path, ported: Path, direction: str, cases: list[Case] | None = None,
           settings: Settings | None = None) -> list[Verdict]:
    """`direction`: tf2torch, torch2tf, or both files of one framework: tf2tf, torch2torch.

    Without cases, those found in the source file. One verdict per case, and per backend of Keras that was asked for.
    Where a case names a module (`package.module:Net()`), `source` and `ported` are folders that hold its package.
    """
    settings = settings or Settings()
    if direction not in DIRECTIONS:
        raise ValueError(f"direction {direction!r}")
    sides = direction.split("2")
    if settings.backends and sides[1] != "tf":
        raise ValueError("a backend is chosen for a Keras port, and this one uses PyTorch")
    named = modules.grouped(cases or [])
    if len(named) > 1 and (settings.record or settings.against):
        raise ValueError("a recording is of one module")
    found: list[Verdict] = []
    for pair, held in named.items() or [(("", ""), [])]:
        paths = [modules.find(place, name) if name else place
                 for place, name in zip((source, ported), pair, strict=True)]
        if settings.against and pair[0]:
            paths[0] = source  # it is not run
        found += _module(paths, pair, sides, held, settings)
    return found


def _module(paths: list[Path], names: tuple[str, str], sides: list[str], cases: list[Case], settings: Settings
            ) -> list[Verdict]:
    with tempfile.TemporaryDirectory(prefix="port-verify-") as name:
        folder = Path(name)
        jobs = _jobs(paths, names, sides, cases, settings, folder)
        targets = [job for job in jobs if job["role"] == "target"]
        if settings.against:
            (folder / "source.npz").write_bytes(Path(settings.against).read_bytes())
            jobs = targets
        elif settings.record:
            jobs = [job for job in jobs if job["role"] == "source"]
        faults = _run(jobs, settings, folder)
        asked = cases or [Case("")]
        found = []
        for target in targets:
            found += _judged(jobs[0], target, faults, asked, settings, folder)
        return found[:len(found) // len(targets)] if settings.record else found


def _judged(first: dict[str, Any], target: dict[str, Any], faults: dict[str, str], asked: list[Case],
            settings: Settings, folder: Path, redraw: bool = True) -> list[Verdict]:
    """The verdicts of one port's side; where rounding may be the cause, the source is asked again."""
    found = _verdicts(folder, target, faults, asked, settings)
    if first["role"] != "source" or settings.record:
        return [replace(v, backend=target["backend"]) for v in found]
    late: dict[str, tuple[list[int], str]] = {}  # what was not found out: of which cases, and why
    constants = [i for i, v in enumerate(found) if v.status == verdict.MISMATCH and v.worst < compare.TRIED
                 and v.stage in ("numeric", "behaviour") and not v.attributed]
    if "float64" in settings.dtypes and constants and "tf" in (first["side"], target["side"]):
        late["whether constants that TensorFlow rounds explain it was not found out"] = constants, _again(
            first, target, "attribute", constants, settings, folder)
        found = _verdicts(folder, target, faults, asked, settings)
    if "float64" in settings.dtypes and (sampled := [i for i, v in enumerate(found) if kinks.may_be_rounding(v)]):
        off = {str(i): sorted({(r.dtype, r.variant, r.mode) for r in found[i].rows if r.bad}) for i in sampled}
        late["what gradients lose to rounding was not found out in full"] = sampled, _again(
            {**first, "rounded": off}, target, "rounding", sampled, settings, folder)
        found = _verdicts(folder, target, faults, asked, settings)
        for i in _float32_gradients(found) if redraw else []:
            found[i] = _redrawn(found[i], first, target, settings)
    return [replace(v, backend=target["backend"], notes=(*v.notes, *_early(late, i, v))) for i, v in enumerate(found)]


def _float32_gradients(found: list[Verdict]) -> list[int]:
    """Cases in which nothing else is off."""
    return [i for i, v in enumerate(found) if kinks.only(v)]


def _redrawn(drawn: Verdict, first: dict[str, Any], target: dict[str, Any], settings: Settings) -> Verdict:
    """The case with other weights and inputs: a fault shows again, a unit that was at its kink by chance does not."""
    case = next((c for c in first["cases"] if c["call"] == drawn.case.call), {"name": "", "ported_call": ""})
    case = {**case, "call": drawn.case.call, "inputs": list(drawn.case.inputs)}
    draws = {settings.seed: drawn}
    for seed in (settings.seed + 1, settings.seed + 2):
        with tempfile.TemporaryDirectory(prefix="port-verify-") as name:
            folder = Path(name)
            jobs = [{**job, "folder": name, "seed": seed, "cases": [case]} for job in (first, target)]
            faults = _run(jobs, settings, folder)
            again = _judged(jobs[0], jobs[1], faults, [drawn.case], settings, folder, redraw=False)
            if len(again) == 1:
                draws[seed] = again[0]
            if kinks.by_chance(list(draws.values())):
                (last,) = _verdicts(folder, jobs[1], faults, [drawn.case], settings, kinks.off(draws[seed]))
                return kinks.told(last, draws)
    return drawn


def _again(first: dict[str, Any], target: dict[str, Any], role: str, wanted: list[int], settings: Settings,
           folder: Path) -> str:
    """A further run of the source for some cases of one port; what went wrong with it, or ''."""
    name = f"{role}-{target['name']}"
    return _run([{**first, "role": role, "name": name, "target": target["name"], "wanted": wanted}],
                settings, folder).get(name, "")


def _early(late: dict[str, tuple[list[int], str]], case: int, found: Verdict) -> list[str]:
    """Notes on runs that would have said more of a case which is off, and that ended too early."""
    return [f"{message}: another run of the source {fault}" for message, (cases, fault) in late.items()
            if fault and case in cases and found.status == verdict.MISMATCH]


def _jobs(paths: list[Path], names: tuple[str, str], sides: list[str], cases: list[Case], settings: Settings,
          folder: Path) -> list[dict[str, Any]]:
    table = yaml.safe_load((HERE / "weights.yaml").read_text())
    common = {"folder": str(folder), "dtypes": list(settings.dtypes), "seed": settings.seed, "steps": settings.steps,
              "attribute": bool(settings.against),  # by the port alone; else the source is asked, which is sharper
              "sampled": bool(settings.record),  # what float32 gradients may lose; else only where it matters
              "timeout": settings.timeout, "table": table,
              "cases": [{"call": c.call, "inputs": list(c.inputs), "name": c.name, "ported_call": c.ported_call}
                        for c in cases]}
    common["widen"] = any(widened.writes(Path(path), name) for path, name in zip(paths, names, strict=True))
    jobs = [("source", sides[0], paths[0], names[0], "")]
    jobs += [("target", sides[1], paths[1], names[1], backend) for backend in settings.backends or ("",)]
    return [{**common, "role": role, "side": side, "path": str(Path(path).resolve()), "module": module,
             "backend": backend,
             "name": f"{role}-{backend}" if backend else role,
             "device": settings.device if side == "torch" else "cpu"} for role, side, path, module, backend in jobs]


def _environment(job: dict[str, Any], more: tuple[tuple[str, str], ...]) -> dict[str, str]:
    env = dict({**os.environ, **dict(more)}, TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0",
               KERAS_BACKEND=job["backend"] or "tensorflow", PYTHONUNBUFFERED="1",
               OMP_NUM_THREADS=os.environ.get("OMP_NUM_THREADS", "1"))
    if job["device"] == "cpu":
        env["CUDA_VISIBLE_DEVICES"] = ""
    return env


def start(command: list[str], env: dict[str, str], log: IO[bytes], folder: Path) -> subprocess.Popen[bytes]:
    """One child; the tests have children ready that have imported their framework."""
    return subprocess.Popen(command, env=env, stdout=log, stderr=log, cwd=folder)


def _run(jobs: list[dict[str, Any]], settings: Settings, folder: Path) -> dict[str, str]:
    """{name of a job: what went wrong}. A source that fails ends the wait of the port's side."""
    running = {}
    for job in jobs:
        path = folder / f"{job['name']}.json"
        path.write_text(json.dumps(job))
        python = {"tf": settings.tf_python, "torch": settings.torch_python}[job["side"]] or sys.executable
        log = open(folder / f"{job['name']}.log", "wb")  # noqa: SIM115
        try:
            running[job["name"]] = start([python, "-P", "-c", BOOT, str(HERE), job["side"], str(path)],
                                         _environment(job, settings.environment), log, folder)
        except OSError as fault:
            return {job["name"]: f"{python} cannot be started: {fault}"}
        finally:
            log.close()
    return _wait(running, settings.timeout, folder)


def _wait(running: dict[str, subprocess.Popen[bytes]], timeout: float, folder: Path) -> dict[str, str]:
    end, faults = time.monotonic() + timeout, {}
    try:
        while any(p.poll() is None for p in running.values()):
            if time.monotonic() > end:
                return {name: f"timed out after {timeout:g} s" for name, p in running.items() if p.poll() is None}
            source = running.get("source")
            if source is not None and source.poll() is not None and not (folder / "source.npz").exists():
                break
            time.sleep(0.03)
        for name, process in running.items():
            if process.poll() is not None and not (folder / f"{name}.npz").exists():
                faults[name] = f"the process ended with code {process.returncode}: {_last_line(folder / f'{name}.log')}"
        return faults
    finally:
        for process in running.values():
            if process.poll() is None:
                process.kill()
                process.wait()


def _last_line(path: Path) -> str:
    lines = [line for line in path.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1][:300] if lines else "no output"


def _verdicts(folder: Path, target: dict[str, Any], faults: dict[str, str], asked: list[Case], settings: Settings,
              excused: frozenset[kinks.Array] = frozenset()) -> list[Verdict]:
    if not (folder / "source.npz").exists():
        text = faults.get("source", "the source side gave no result")
        return [judge.without(c, verdict.UNVERIFIED, f"source: {text}") for c in asked]
    head, parts = store.unbundle(folder / "source.npz")
    if "fatal" in head:
        return [_fatal(c, "source", head["fatal"]) for c in asked]
    if not parts:
        return [judge.without(Case(""), verdict.UNVERIFIED, verdict.NOTHING)]
    known = [judge.case_of(meta) for meta, _ in parts]
    if settings.record:
        Path(settings.record).write_bytes((folder / "source.npz").read_bytes())
        return [_recorded(c, meta) for c, (meta, _) in zip(known, parts, strict=True)]
    name = target["name"]
    if not (folder / f"{name}.npz").exists():
        text = faults.get(name, "the port's side gave no result")
        return [judge.without(c, verdict.UNVERIFIED, f"port: {text}") for c in known]
    other, found = store.unbundle(folder / f"{name}.npz")
    if "fatal" in other:
        return [_fatal(c, "port", other["fatal"]) for c in known]
    constants, sampled = (_found(folder / f"{role}-{name}.npz") for role in ("attribute", "rounding"))
    out = []
    for i, ((meta, own), (about, arrays)) in enumerate(zip(parts, found, strict=True)):
        meta = {**meta, "sampled": sampled[str(i)]} if "failed" not in sampled.get(str(i), {"failed": ""}) else meta
        about = {**about, "attributed": constants[str(i)]} if str(i) in constants else about
        out.append(judge.judge((meta, own), (about, arrays), excused))
    return out


def _found(path: Path) -> dict[str, Any]:
    """What a further run of the source found, by the number of the case."""
    found: dict[str, Any] = store.read(path)[0].get("found", {}) if path.exists() else {}
    return found


def _fatal(case: Case, side: str, text: str) -> Verdict:
    missing = "cannot be imported" in text
    return judge.without(case, verdict.UNVERIFIED if missing else verdict.ERROR, f"{side}: {text}")


def _recorded(case: Case, meta: dict[str, Any]) -> Verdict:
    if "error" in meta:
        return judge.without(case, verdict.ERROR, f"source: {meta['error']}")
    return judge.without(case, verdict.UNVERIFIED, "recorded; compare it with --against")


__all__ = ["Case", "Settings", "Verdict", "verify"]
