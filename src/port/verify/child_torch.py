"""The PyTorch child: a backend of `side`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

from . import cases, torch_feed, torch_round, user
from . import torch_units as units_of
from .user import DROPS, builders, positional

Cotangent = Callable[[int, Any], np.ndarray]
SIDE = "torch"
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
    _no_draws()
    dtype(job["dtypes"][0])


def _no_draws() -> None:
    functional: Any = torch.nn.functional
    for name in ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout"):
        setattr(functional, name, lambda input, *_, **__: input)
    attention = functional.scaled_dot_product_attention

    def quiet(query: Any, key: Any, value: Any, attn_mask: Any = None, dropout_p: float = 0.0,
              is_causal: bool = False, **rest: Any) -> Any:
        return attention(query, key, value, attn_mask, 0.0, is_causal, **rest)

    functional.scaled_dot_product_attention = quiet


def dtype(name: str) -> None:
    global _dtype
    _dtype = name
    torch.set_default_dtype(getattr(torch, name))


def load(path: Path, name: str) -> ModuleType:
    dtype(name)
    torch.manual_seed(0)
    module = user.load(path, name)
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
    return None


def specs(obj: Any) -> list[cases.Spec]:
    return []


def pads(obj: Any) -> bool:
    return False


def tensors(xs: list[np.ndarray], grad: bool = False) -> list[Any]:
    out = []
    for x in xs:
        value = torch.tensor(x, device=_device)
        if value.is_floating_point():
            value = value.to(getattr(torch, _dtype)).requires_grad_(grad)
        out.append(value)
    return out


def call(obj: Any, xs: list[Any]) -> Any:
    if isinstance(obj, torch.nn.Module) and len(xs) > 1 and len(positional(obj.forward)) == 1:
        return obj(xs)
    return obj(*xs)


def _mode(obj: Any, training: bool) -> None:
    if isinstance(obj, torch.nn.Module):
        obj.train(training)


def start(obj: Any, xs: list[np.ndarray]) -> tuple[Any, list[str]]:
    """Random draws off; one call, so that lazy modules get their weights: (structure of the result, notes)."""
    off = []
    for module in obj.modules() if isinstance(obj, torch.nn.Module) else ():
        for name in (*DROPS, "p"):
            value = vars(module).get(name)
            if isinstance(value, float) and 0 < value <= 1 and (name != "p" or "drop" in type(module).__name__.lower()):
                setattr(module, name, 0.0)
                off.append(type(module).__name__)
    _, result = forward(obj, xs, False)
    return result, [f"dropout switched off in {', '.join(sorted(set(off)))}"] if off else []


def units(obj: Any) -> tuple[list[dict[str, Any]], Any]:
    return units_of.find(obj) if isinstance(obj, torch.nn.Module) else ([], [])


def assign(handles: Any, arrays: dict[str, np.ndarray], frozen: bool = False) -> None:
    units_of.assign(handles, arrays, frozen)


def read(handles: Any) -> dict[str, np.ndarray]:
    return units_of.read(handles)


def describe(found: list[dict[str, Any]], handles: Any) -> None:
    units_of.describe(found, handles)


def structure(value: Any) -> Any:
    if isinstance(value, dict):
        return {"dict": {str(k): structure(v) for k, v in value.items()}}
    if isinstance(value, list | tuple):
        return {type(value).__name__ if type(value) in (list, tuple) else "tuple": [structure(v) for v in value]}
    if value is None:
        return None
    value = torch.as_tensor(value)
    return [list(value.shape), str(value.dtype).removeprefix("torch.")]


def flat(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for key in sorted(value) for leaf in flat(value[key])]
    if isinstance(value, list | tuple):
        return [leaf for item in value for leaf in flat(item)]
    return [] if value is None else [torch.as_tensor(value)]


def numpy(value: Any) -> np.ndarray:
    return value.detach().cpu().numpy().copy()


def forward(obj: Any, xs: list[np.ndarray], training: bool) -> tuple[list[np.ndarray], Any]:
    _mode(obj, training)
    with torch.no_grad():
        value = call(obj, tensors(xs))
    return [numpy(y) for y in flat(value)], structure(value)


def gradients(obj: Any, handles: Any, xs: list[np.ndarray], cotangent: Cotangent, training: bool
              ) -> dict[str, dict[Any, np.ndarray]]:
    """y, dx, dw and, in training mode, buf (variance as Keras keeps it) and bufraw (as torch keeps it)."""
    _mode(obj, training)
    held = {f"{i}/{n}": v for i, (_, w) in enumerate(handles) for n, v in w.items()}
    inputs = tensors(xs, grad=True)
    floats = {i: x for i, x in enumerate(inputs) if x.requires_grad}
    trained = {k: v for k, v in held.items() if v.requires_grad}
    before = read(handles) if training else {}
    sizes, hooks = _batch_sizes(handles)
    ys = flat(call(obj, inputs))
    for hook in hooks:
        hook.remove()
    kind = getattr(torch, _dtype)
    terms = [(y.to(kind) * torch.tensor(cotangent(i, tuple(y.shape)), dtype=kind, device=_device)).sum()
             for i, y in enumerate(ys) if y.is_floating_point() and y.requires_grad]
    wanted = [*floats.values(), *trained.values()]
    found = torch.autograd.grad(sum(terms), wanted, allow_unused=True) if terms and wanted else [None] * len(wanted)
    arrays = [np.zeros(tuple(w.shape)) if g is None else numpy(g) for w, g in zip(wanted, found, strict=True)]
    out: dict[str, dict[Any, np.ndarray]] = {
        "y": {i: numpy(y) for i, y in enumerate(ys)}, "dx": dict(zip(floats, arrays, strict=False)),
        "dw": dict(zip(trained, arrays[len(floats):], strict=True))}
    if training:
        out["bufraw"] = {k: v for k, v in read(handles).items() if k not in trained}
        out["buf"] = _biased(out["bufraw"], before, handles, sizes)
    return out


def _batch_sizes(handles: Any) -> tuple[dict[int, int], list[Any]]:
    """{unit: values per channel in the batch}, filled by hooks during the next call."""
    sizes: dict[int, int] = {}
    hooks = []
    for index, (module, held) in enumerate(handles):
        if "running_var" in held:
            def note(module: Any, args: Any, result: Any, index: int = index) -> None:
                sizes[index] = result.numel() // module.num_features
            hooks.append(module.register_forward_hook(note))
    return sizes, hooks


def _biased(after: dict[str, np.ndarray], before: dict[str, np.ndarray], handles: Any, sizes: dict[int, int]
            ) -> dict[str, np.ndarray]:
    """The declared divergence: torch stores the batch variance times n/(n-1), Keras without."""
    out = dict(after)
    for index, n in sizes.items():
        momentum, key = handles[index][0].momentum, f"{index}/running_var"
        if momentum is not None and n > 1 and key in after:
            keep = before[key] * (1 - momentum)
            out[key] = keep + (after[key] - keep) * (n - 1) / n
    return out


def calibrate(obj: Any, xs: list[np.ndarray], near: Callable[[np.ndarray, np.ndarray], Any]) -> None:
    """Running statistics of every batch norm from what reaches it in inference, through `near(mean, variance)`."""
    def before(module: Any, args: Any) -> None:
        x = numpy(args[0]).swapaxes(1, -1).reshape(-1, module.num_features)
        mean, variance = near(x.mean(0), x.var(0))
        module.running_mean.copy_(torch.tensor(mean))
        module.running_var.copy_(torch.tensor(variance))

    norms = [m for m in obj.modules() if getattr(m, "running_var", None) is not None] if isinstance(
        obj, torch.nn.Module) else []
    hooks = [module.register_forward_pre_hook(before) for module in norms]
    if hooks:
        forward(obj, xs, False)
    for hook in hooks:
        hook.remove()


def record(obj: Any, handles: Any, xs: list[np.ndarray], training: bool) -> tuple[list[Any], dict[str, np.ndarray]]:
    """Inputs and outputs of every unit, in the order of the calls."""
    calls: list[Any] = []
    kept: dict[str, np.ndarray] = {}
    hooks = []
    for index, (module, _) in enumerate(handles):
        def note(module: Any, args: Any, kwargs: Any, result: Any, index: int = index) -> None:
            ins = flat_tensors((args, kwargs))
            outs = flat_tensors(result)
            number = len(calls)
            calls.append({"unit": index, "in": len(ins), "out": len(outs), "order": number})
            kept.update({f"{number}/in/{j}": numpy(a) for j, a in enumerate(ins)})
            kept.update({f"{number}/out/{j}": numpy(a) for j, a in enumerate(outs)})
        hooks.append(module.register_forward_hook(note, with_kwargs=True))
    forward(obj, xs, training)
    for hook in hooks:
        hook.remove()
    return calls, kept


def flat_tensors(value: Any) -> list[Any]:
    if torch.is_tensor(value):
        return [value]
    if isinstance(value, dict):
        value = tuple(value.values())
    return [t for v in value for t in flat_tensors(v)] if isinstance(value, list | tuple) else []


def discover(module: ModuleType) -> list[str]:
    found = [n for n, v in vars(module).items() if isinstance(v, torch.nn.Module)]
    own = {n for n, v in vars(module).items() if inspect.isclass(v) and issubclass(v, torch.nn.Module)}
    return found + [f"{name}()" for name in builders(module, {"Sequential", *own})]


def localise(obj: Any, handles: Any, xs: list[np.ndarray], training: bool, plan: dict[int, Any],
             classes: dict[int, list[str]]) -> list[Any]:
    _mode(obj, training)
    with torch.no_grad():
        return torch_feed.run(lambda: call(obj, tensors(xs)), handles, plan, classes)


def resized() -> bool:
    return False


def prepare_attribution() -> None:
    """Nothing: constants are rounded while the model runs."""


def attribute(build: Any) -> dict[str, Any]:
    return torch_round.attribute(build())
