"""A call of a torch function or tensor method, matched with a signature of a row: torch's own ways of calling."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.binding import Bound, bind
from port.table import Signature

# One function under several names; rows know the name on the right.
ALIASES = {f"torch.{a}": f"torch.{b}" for a, b in (
    ("concat", "cat"), ("concatenate", "cat"), ("clip", "clamp"), ("absolute", "abs"), ("multiply", "mul"),
    ("subtract", "sub"), ("divide", "div"), ("true_divide", "div"), ("negative", "neg"), ("greater", "gt"),
    ("greater_equal", "ge"), ("less", "lt"), ("less_equal", "le"), ("not_equal", "ne"), ("arccos", "acos"),
    ("arcsin", "asin"), ("arctan", "atan"), ("arctan2", "atan2"), ("arccosh", "acosh"), ("arcsinh", "asinh"),
    ("arctanh", "atanh"), ("fix", "trunc"), ("moveaxis", "movedim"), ("swapdims", "transpose"),
    ("swapaxes", "transpose"), ("linalg.multi_dot", "chain_matmul"), ("det", "linalg.det"),
    ("inverse", "linalg.inv"), ("linalg.inverse", "linalg.inv"), ("slogdet", "linalg.slogdet"),
    ("cholesky", "linalg.cholesky"), ("pinverse", "linalg.pinv"), ("matrix_exp", "linalg.matrix_exp"),
    ("softmax", "nn.functional.softmax"), ("log_softmax", "nn.functional.log_softmax"), ("relu", "nn.functional.relu"),
    ("special.softmax", "nn.functional.softmax"), ("special.log_softmax", "nn.functional.log_softmax"),
    ("nn.functional.sigmoid", "sigmoid"), ("nn.functional.tanh", "tanh"), ("special.expit", "sigmoid"),
    ("selu", "nn.functional.selu"), ("celu", "nn.functional.celu"), ("prelu", "nn.functional.prelu"),
    ("threshold", "nn.functional.threshold"), ("hardshrink", "nn.functional.hardshrink"),
    ("pixel_shuffle", "nn.functional.pixel_shuffle"), ("pixel_unshuffle", "nn.functional.pixel_unshuffle"),
    ("cosine_similarity", "nn.functional.cosine_similarity"), ("group_norm", "nn.functional.group_norm"),
    ("pairwise_distance", "nn.functional.pairwise_distance"), ("pdist", "nn.functional.pdist"),
    ("conv1d", "nn.functional.conv1d"), ("conv2d", "nn.functional.conv2d"), ("conv3d", "nn.functional.conv3d"),
    ("dropout", "nn.functional.dropout"), ("layer_norm", "nn.functional.layer_norm"),
    ("bilinear", "nn.functional.bilinear"), ("nn.functional.upsample", "nn.functional.interpolate"),
    ("special.expm1", "expm1"), ("special.log1p", "log1p"), ("special.exp2", "exp2"), ("special.erf", "erf"),
    ("special.erfc", "erfc"), ("special.erfinv", "erfinv"), ("special.gammaln", "lgamma"),
    ("special.digamma", "digamma"), ("special.psi", "digamma"), ("special.logsumexp", "logsumexp"),
    ("special.xlogy", "xlogy"), ("special.round", "round"), ("special.sinc", "sinc"), ("i0", "special.i0"),
    ("igamma", "special.gammainc"), ("igammac", "special.gammaincc"), ("Tensor.detach", "detach"),
    ("unsafe_chunk", "chunk"), ("unsafe_split", "split"), ("ger", "outer"), ("row_stack", "vstack"),
    ("linalg.matmul", "matmul"), ("nn.functional.logsigmoid", "nn.functional.logsigmoid"),
    ("linalg.cross", "cross"), ("logical_not_", "logical_not"), ("nn.functional.hardtanh_", "nn.functional.hardtanh"),
    ("nn.functional.relu_", "nn.functional.relu"), ("relu_", "nn.functional.relu"),
    ("nn.functional.leaky_relu_", "nn.functional.leaky_relu"), ("nn.functional.elu_", "nn.functional.elu"),
    ("from_numpy", "from_numpy"), ("linalg.diagonal", "linalg.diagonal"), ("get_device_module", "get_device_module"),
)} | {
    "tensor.nelement": "tensor.numel", "tensor.ndimension": "tensor.dim", "tensor.clip": "tensor.clamp",
    "tensor.swapaxes": "tensor.transpose", "tensor.swapdims": "tensor.transpose", "tensor.absolute": "tensor.abs",
}
# NumPy's names of parameters, which torch takes as well.
KEYWORDS = {"axis": "dim", "keepdims": "keepdim", "x": "input", "a": "input", "x1": "input", "x2": "other"}
# Where a tensor lives, and what is done for speed alone: no number changes.
PLACES = ("device", "non_blocking", "memory_format", "pin_memory", "requires_grad", "layout", "generator")
SEQUENCES = ("dims", "shape", "size", "sizes", "repeats")


def names_of(symbol: str) -> list[str]:
    """The names under which rows may know this function or method; the best first."""
    symbol = ALIASES.get(symbol, symbol)
    if not symbol.startswith("tensor."):
        return [symbol]
    base = symbol.removeprefix("tensor.")
    function = f"torch.{base}"
    return list(dict.fromkeys([symbol, ALIASES.get(function, function)]))


def bind_torch(signature: Signature, node: cst.Call, receiver: cst.BaseExpression | None) -> Bound:
    """Match a call with a signature. `common` holds settings that the signature does not name (device, dtype, ...);
    sizes given one by one (`x.view(2, 3)`) come as one tuple."""
    names = {p.name for p in signature.params}
    args, common = _split(node, names)
    call = node.with_changes(args=args)
    bound = bind(signature, call, receiver=receiver)
    star = next((p.name for p in signature.params if p.star == "*"), "")
    if bound.stars:
        bound.args[star] = _one(bound.stars)
    elif star in (*SEQUENCES, "tensors") and not bound.problem and star not in bound.args:
        bound.problem = f"argument `{star}` is missing"
    elif bound.problem == "too many arguments":
        bound = _gathered(signature, args, receiver) or bound
    bound.common = common
    return bound


def _split(node: cst.Call, names: set[str]) -> tuple[list[cst.Arg], dict[str, cst.BaseExpression]]:
    args, common = [], {}
    for arg in node.args:
        word = arg.keyword.value if arg.keyword is not None else ""
        if word and word not in names and KEYWORDS.get(word) in names:
            arg = arg.with_changes(keyword=cst.Name(KEYWORDS[word]))
        elif word and word not in names and (word in PLACES or word in ("dtype", "inplace", "out")):
            common[word] = arg.value
            continue
        args.append(arg)
    return args, common


def _one(stars: list[cst.Arg]) -> cst.BaseExpression:
    """`2, 3` as one tuple; a list or tuple that is given alone, itself."""
    if len(stars) == 1 and not stars[0].star:
        return stars[0].value
    return tuple_of([s.value for s in stars])


def tuple_of(values: list[Any]) -> cst.Tuple:
    return cst.Tuple([cst.Element(v) for v in values], lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


def _gathered(signature: Signature, args: list[cst.Arg], receiver: cst.BaseExpression | None) -> Bound | None:
    """`x.permute(0, 2, 1)` for `permute(input, dims)`."""
    positional = [p.name for p in signature.params if not p.keyword_only and not p.star]
    at = next((i for i, n in enumerate(positional) if n in SEQUENCES), None)
    if at is None:
        return None
    skip = at - (receiver is not None)
    plain = [a for a in args if a.keyword is None]
    words = [a for a in args if a.keyword is not None]
    if len(plain) <= skip or any(a.star or isinstance(a.value, cst.List | cst.Tuple) for a in plain[skip:]):
        return None
    joined = cst.Arg(tuple_of([a.value for a in plain[skip:]]))
    again = bind(signature, cst.Call(cst.Name("f"), [*plain[:skip], joined, *words]), receiver=receiver)
    return None if again.problem else again
