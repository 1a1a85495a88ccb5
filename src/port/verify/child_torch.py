"""The PyTorch child: a backend of `source` and `target`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

from . import (
    cases,
    draws,
    inputs,
    results,
    torch_draws,
    torch_feed,
    torch_guess,
    torch_norms,
    torch_round,
    torch_sixth,
    user,
)
from . import torch_units as units_of
from .inputs import Feed
from .user import builders, positional

Cotangent = Callable[[int, Any], np.ndarray]
SIDE = "torch"
LOG = draws.Log()
_device = "cpu"
_dtype = "float64"


def setup(job: dict[str, Any]) -> None:
    global _device
    torch.set_num_threads(1)
    _device = job["device"]
    if _device != "cpu" and not torch.cuda.is_available():
        raise ImportError(f"device {_device} is not available to torch")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    units_of.install(job["path"])
    torch_draws.install(LOG)
    torch_sixth.install()
    dtype(job["dtypes"][0])


def dtype(name: str) -> None:
    global _dtype
    _dtype = name
    torch.set_default_dtype(getattr(torch, name))


def load(job: dict[str, Any], name: str) -> ModuleType:
    dtype(name)
    torch.manual_seed(0)
    module = user.load(Path(job["path"]), name, job.get("module", ""))
    module.port_dtype = name  # type: ignore[attr-defined]
    return module


def evaluate(module: ModuleType, text: str) -> Any:
    obj = eval(text, vars(module))
    return obj.to(_device, getattr(torch, _dtype)) if isinstance(obj, torch.nn.Module) else obj


def kind(obj: Any) -> str:
    if isinstance(obj, torch.nn.Module):
        return "model"
    if any(base.__module__.partition(".")[0] == "keras" for base in type(obj).__mro__):
        raise TypeError(f"the port still makes a Keras {type(obj).__name__}: this part was not translated")
    if callable(obj):
        return "function"
    raise TypeError(f"the call gives a {type(obj).__name__}, not a module or function")


def free(obj: Any) -> None:
    """A torch model does not say which of its sizes are free: `sizes` tries."""


def specs(obj: Any) -> list[list[cases.Spec]]:
    return torch_guess.specs(obj) if isinstance(obj, torch.nn.Module) else []


def pads(obj: Any) -> bool:
    return False


def tensors(given: Feed, grad: bool = False) -> list[Any]:
    out = []
    for x in given.arrays:
        value = torch.tensor(x, device=_device)
        if value.is_floating_point():
            value = value.to(getattr(torch, _dtype)).requires_grad_(grad)
        out.append(value)
    return out


def packs(obj: Any, given: Feed) -> bool:
    """Several tensors in one argument: only where `forward` has a single parameter."""
    if given.packed is False or len(given.arrays) < 2 or not given.plain or not isinstance(obj, torch.nn.Module):
        return False
    return len(positional(obj.forward, ())) == 1


def call(obj: Any, given: Feed, xs: list[Any]) -> Any:
    with LOG.shared():
        return inputs.call(obj, given, xs, packs(obj, given))


def _mode(obj: Any, training: bool) -> None:
    if isinstance(obj, torch.nn.Module):
        obj.train(training)
        # cuDNN differentiates recurrent layers in training mode only.
        torch.backends.cudnn.enabled = training or not any(isinstance(m, torch.nn.RNNBase) for m in obj.modules())


def start(obj: Any, given: Feed, first: bool) -> tuple[Any, list[str], draws.Found | None]:
    """One call, which fills lazy modules, then random draws off: (structure of the result, notes, what drew)."""
    _, result = forward(obj, given, False)
    if not isinstance(obj, torch.nn.Module):
        return result, [], None
    modules = list(obj.modules())
    drew = _drew(obj, given, modules) if first else None
    off = draws.silence(modules, setattr, lambda: forward(obj, given, False)[0])
    notes = [f"dropout switched off in {', '.join(sorted(set(off)))}"] if off else []
    return result, [*notes, *_misread(obj, given), *torch_sixth.note(obj)], drew


def _misread(obj: Any, given: Feed) -> list[str]:
    """What PyTorch computes wrongly in this case, a gradient of batch norm: it gets it in strides that it reads."""
    norms = any(isinstance(m, torch.nn.modules.batchnorm._BatchNorm) for m in obj.modules())
    if not norms or all(a.ndim == 0 or a.shape[0] != 1 for a in given.arrays):
        return []
    _mode(obj, False)
    met, hooks = torch_norms.straighten(obj)
    ys = [y for y in flat(call(obj, given, tensors(given, grad=True))) if y.is_floating_point() and y.requires_grad]
    weights = [w for w in obj.parameters() if w.requires_grad]
    if ys and weights:
        torch.autograd.grad(sum((y * torch.ones_like(y)).sum() for y in ys), weights, allow_unused=True)
    for hook in hooks:
        hook.remove()
    names = sorted(name for name, module in obj.named_modules() if module in met)
    return [f"PyTorch {torch.__version__} computes a wrong gradient for {', '.join(names)}: batch norm misreads the "
            "strides of a gradient for a batch of one; compared with what it computes from plain strides"
            ] if names else []


def _drew(obj: Any, given: Feed, modules: list[Any]) -> draws.Found:
    """Stacked recurrent modules draw in C++, once between two layers."""
    stacked = [m for m in modules if isinstance(m, torch.nn.RNNBase) and m.dropout]
    rates = [(m, m.dropout) for m in stacked]
    for module in stacked:
        module.dropout = 0.0
    state = torch.get_rng_state()
    drew = LOG.around(lambda: forward(obj, given, True))
    drew["raw"] = drew["raw"] or not torch.equal(state, torch.get_rng_state())
    for module, rate in rates:
        module.dropout = rate
        drew["rates"] = sorted([*drew["rates"], *[round(rate, 6)] * (module.num_layers - 1)])
    return drew


def units(obj: Any) -> tuple[list[dict[str, Any]], Any]:
    return units_of.find(obj) if isinstance(obj, torch.nn.Module) else ([], [])


def assign(handles: Any, arrays: dict[str, np.ndarray], frozen: bool = False) -> None:
    units_of.assign(handles, arrays, frozen)


def read(handles: Any) -> dict[str, np.ndarray]:
    return units_of.read(handles)


def describe(found: list[dict[str, Any]], handles: Any) -> None:
    units_of.describe(found, handles)


def structure(value: Any) -> Any:
    def about(leaf: Any) -> list[Any]:
        leaf = torch.as_tensor(leaf)
        return [list(leaf.shape), str(leaf.dtype).removeprefix("torch.")]
    return results.structure(value, about)


def flat(value: Any) -> list[Any]:
    return results.flat(value, torch.as_tensor)


def numpy(value: Any) -> np.ndarray:
    return value.detach().cpu().numpy().copy()


def forward(obj: Any, given: Feed, training: bool) -> tuple[list[np.ndarray], Any]:
    _mode(obj, training)
    with torch.no_grad():
        value = call(obj, given, tensors(given))
    return [numpy(y) for y in flat(value)], structure(value)


def gradients(obj: Any, handles: Any, given: Feed, cotangent: Cotangent, training: bool
              ) -> dict[str, dict[Any, np.ndarray]]:
    """y, dx, dw and, in training mode, buf (variance as Keras keeps it) and bufraw (as torch keeps it)."""
    _mode(obj, training)
    held = {f"{i}/{n}": v for i, (_, w) in enumerate(handles) for n, v in w.items()}
    xs = tensors(given, grad=True)
    floats = {i: x for i, x in enumerate(xs) if x.requires_grad}
    trained = {k: v for k, v in held.items() if v.requires_grad}
    variances, hooks = torch_norms.biased(handles)
    straight = torch_norms.straighten(obj)[1] if isinstance(obj, torch.nn.Module) else []
    ys = flat(call(obj, given, xs))
    for hook in hooks:
        hook.remove()
    kind = getattr(torch, _dtype)
    terms = [(y.to(kind) * torch.tensor(cotangent(i, tuple(y.shape)), dtype=kind, device=_device)).sum()
             for i, y in enumerate(ys) if y.is_floating_point() and y.requires_grad]
    wanted = [*floats.values(), *trained.values()]
    found = torch.autograd.grad(sum(terms), wanted, allow_unused=True) if terms and wanted else [None] * len(wanted)
    for hook in straight:
        hook.remove()
    arrays = [np.zeros(tuple(w.shape)) if g is None else numpy(g) for w, g in zip(wanted, found, strict=True)]
    out: dict[str, dict[Any, np.ndarray]] = {
        "y": {i: numpy(y) for i, y in enumerate(ys)}, "dx": dict(zip(floats, arrays, strict=False)),
        "dw": dict(zip(trained, arrays[len(floats):], strict=True))}
    if training:
        out["bufraw"] = {k: v for k, v in read(handles).items() if k not in trained}
        out["buf"] = out["bufraw"] | {k: numpy(v) for k, v in variances.items()}
    return out


def calibrate(obj: Any, given: Feed, near: Callable[[np.ndarray, np.ndarray], Any]) -> None:
    if isinstance(obj, torch.nn.Module):
        torch_norms.calibrate(obj, lambda: forward(obj, given, False), near)


def record(obj: Any, handles: Any, given: Feed, training: bool) -> tuple[list[Any], dict[str, np.ndarray]]:
    return units_of.record(lambda: forward(obj, given, training), handles)


def graph(obj: Any, given: Feed, axes: list[list[int]], training: bool) -> None:
    """Nothing: this is for ports to TensorFlow."""


def discover(module: ModuleType) -> list[str]:
    """Modules made at module level, builders, and classes that no other code of the file uses, if they need nothing."""
    found = [n for n, v in vars(module).items() if isinstance(v, torch.nn.Module)]
    own = {n for n, v in vars(module).items() if inspect.isclass(v) and issubclass(v, torch.nn.Module)}
    roots = user.roots(module, {n for n in own if vars(module)[n].__module__ == module.__name__})
    return found + [f"{name}()" for name in (*builders(module, {"Sequential", *own}), *roots)]


def localise(obj: Any, handles: Any, given: Feed, training: bool, plan: dict[int, Any],
             classes: dict[int, list[str]], same: bool) -> list[Any]:
    _mode(obj, training)
    with torch.no_grad():
        return torch_feed.run(lambda: call(obj, given, tensors(given)), handles, plan, classes, same)


def resized(forget: bool = False) -> bool:
    return False


def widen() -> bool:
    return False  # torch's default dtype is what Keras' floatx is


def prepare_attribution() -> None:
    """Nothing: constants are rounded while the model runs."""


def attribute(build: Any) -> dict[str, Any]:
    return torch_round.attribute(build())
