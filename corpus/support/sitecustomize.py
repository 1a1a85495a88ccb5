"""Found by every child of a corpus run: stand-ins for optional imports, named in PORT_CORPUS_STUBS, and torchvision."""

import importlib.abc
import importlib.machinery
import os
import sys
import types

STUBS = tuple(filter(None, os.environ.get("PORT_CORPUS_STUBS", "").split(",")))
SCHEMAS = """nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor
qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor
roi_align(Tensor a, Tensor b, float c, SymInt d, SymInt e, int f, bool g) -> Tensor
_roi_align_backward(Tensor a, Tensor b, float c, SymInt d, SymInt e, SymInt f, SymInt g, SymInt h, SymInt i, int j, bool k) -> Tensor
roi_pool(Tensor a, Tensor b, float c, SymInt d, SymInt e) -> (Tensor, Tensor)
_roi_pool_backward(Tensor a, Tensor b, Tensor c, float d, SymInt e, SymInt f, SymInt g, SymInt h, SymInt i, SymInt j) -> Tensor
ps_roi_align(Tensor a, Tensor b, float c, SymInt d, SymInt e, int f) -> (Tensor, Tensor)
_ps_roi_align_backward(Tensor a, Tensor b, Tensor c, float d, SymInt e, SymInt f, int g, SymInt h, SymInt i, SymInt j, SymInt k) -> Tensor
ps_roi_pool(Tensor a, Tensor b, float c, SymInt d, SymInt e) -> (Tensor, Tensor)
_ps_roi_pool_backward(Tensor a, Tensor b, Tensor c, float d, SymInt e, SymInt f, SymInt g, SymInt h, SymInt i, SymInt j) -> Tensor
deform_conv2d(Tensor a, Tensor b, Tensor c, Tensor d, Tensor e, SymInt f, SymInt g, SymInt h, SymInt i, SymInt j, SymInt k, SymInt l, SymInt m, bool n) -> Tensor
_deform_conv2d_backward(Tensor a, Tensor b, Tensor c, Tensor d, Tensor e, Tensor f, SymInt g, SymInt h, SymInt i, SymInt j, SymInt k, SymInt l, SymInt m, SymInt n, bool o) -> (Tensor, Tensor, Tensor, Tensor, Tensor)"""  # noqa: E501


class Stub(types.ModuleType):
    """A module that has every name: a class that does nothing."""

    __path__ = ()

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        made = type(name, (), {"__init__": lambda self, *_, **__: None, "__call__": lambda self, *_, **__: None})
        setattr(self, name, made)
        return made


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Asked before every other finder."""

    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            return followed(importlib.machinery.PathFinder.find_spec(name, path, target))
        if any(name == stub or name.startswith(stub + ".") for stub in STUBS):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return Stub(spec.name)

    def exec_module(self, module):
        pass


def followed(spec):
    """The spec of torch, whose import ends in `operators`."""
    if spec is not None:
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            operators()

        spec.loader.exec_module = exec_module
    return spec


def operators():
    """The schemas of torchvision's compiled operators, which cannot load beside a CPU build; they do not run."""
    import torch

    if hasattr(torch.library, "port_corpus"):
        return
    torch.library.port_corpus = True
    known, register = torch._C._dispatch_has_kernel_for_dispatch_key, torch.library.register_fake

    def has(name, key):
        try:
            return known(name, key)
        except RuntimeError:
            return False

    def fake(op, *args, **kwargs):
        if isinstance(op, str) and op.startswith("torchvision::"):
            try:
                return register(op, *args, **kwargs)
            except RuntimeError:
                return lambda f: f
        return register(op, *args, **kwargs)

    torch._C._dispatch_has_kernel_for_dispatch_key = has
    torch.library.register_fake = fake
    for schema in SCHEMAS.splitlines():
        torch.library.define("torchvision::" + schema.partition("(")[0], schema[schema.index("("):])


sys.meta_path.insert(0, Finder())
