"""The arguments of the `port` command."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

from port import __doc__ as summary
from port import __version__

EXIT_CODES = """\
exit codes: 0 nothing is left for a person; 1 something is (a refused place, a pending change under
--check, a mismatch under --verify); 2 wrong usage, or a file that cannot be read or parsed."""


def parser(run: Mapping[str, Callable[[argparse.Namespace], int]]) -> argparse.ArgumentParser:
    """The parser of the `port` command; `run` says what does the work of each command."""
    raw = argparse.RawDescriptionHelpFormatter
    made = argparse.ArgumentParser("port", description=summary, epilog=EXIT_CODES, formatter_class=raw)
    made.add_argument("--version", action="version", version=f"port {__version__}")
    commands = made.add_subparsers(metavar="COMMAND", required=True)
    for name, add, text in (
        ("tf2torch", _translation, "translate TensorFlow/Keras files to PyTorch: a diff and findings"),
        ("torch2tf", _translation, "translate PyTorch files to Keras 3: a diff and findings"),
        ("verify", _verification, "compare any two versions of a model, also one written by hand"),
        ("status", _state, "show how far a codebase is: files, uses of the framework, verified models"),
        ("ops", _query, "show how a symbol is translated, and how sure that is"),
        ("explain", _code, "say what a finding means and what to do about it"),
    ):
        command = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", epilog=EXIT_CODES,
                                      formatter_class=raw)
        add(command)
        command.set_defaults(run=run[name])
    return made


def _translation(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("paths", nargs="+", metavar="PATH", help="a file, or a folder that is walked for *.py and *.ipynb")
    mode = command.add_mutually_exclusive_group()
    mode.add_argument("--write", action="store_true", help="replace the files in place, atomically")
    mode.add_argument("-o", "--output", metavar="OUT", help="write beside: a file for one file, else a folder")
    mode.add_argument("--check", action="store_true", help="write nothing; exit 1 if anything would change")
    add("--baseline", metavar="FILE", help="with --check: report only uses of the framework that are not on record")
    add("--update-baseline", action="store_true", help="put these files on record in FILE, and do nothing else")
    add("--clear-outputs", action="store_true", help="leave out the outputs of notebooks that are written")
    add("--verify", action="store_true", help="run both versions and compare their numbers; this runs your code")
    add("--interactive", action="store_true",
        help="ask about each hunk, then write what was taken, in place or with -o")
    add("--layout", choices=("preserve", "native"),
        help="torch2tf: keep the public NCHW interface (default), or take and give images channels last")
    add("--init", choices=("keep", "framework"), help="keep the source's initial distributions (default), or not")
    add("--target", choices=("tf", "keras"), help="torch2tf: Keras 3 with tf ops (default), or keras.ops only")
    add("--format", choices=("text", "json", "sarif", "github"), default="text")
    _page(add)
    add("--jobs", type=_positive, metavar="N", help="processes for many files; default: all cores")
    add("--no-cache", action="store_true", help="neither read nor write .port_cache")
    _case(command)


def _page(add: Callable[..., object]) -> None:
    add("--report", metavar="OUT.html", help="also write the whole run as one page for a browser")


def _case(command: argparse.ArgumentParser) -> None:
    add = command.add_argument_group("verify").add_argument
    add("--call", action="append", metavar="CODE",
        help="what to build, as in 'ResNet50(classes=10)'; once per case, all with the same inputs")
    add("--input", action="append", metavar="SPEC",
        help="what to feed, as in 'f32[2,224,224,3]' or 'mask=b[2,7]'; once per input")
    add("--device", choices=("cpu", "cuda"), help="where the torch side runs")
    add("--dtype", action="append", choices=("float64", "float32"), dest="dtypes", help="both by default")
    add("--steps", type=_positive, metavar="K", help="also compare K steps of gradient descent; default: none")
    add("--seed", type=int, metavar="S", help="seed of weights and inputs")
    add("--timeout", type=float, metavar="SECONDS", help="for each side")
    add("-v", "--verbose", action="store_true", help="show every pair of weights, and the tables of what agrees")
    add("--backend", action="append", choices=("tensorflow", "jax", "torch"), dest="backends",
        help="run a Keras port on this backend of Keras; may be repeated; default: tensorflow")
    add("--tf-python", metavar="PATH", help="interpreter that has TensorFlow")
    add("--torch-python", metavar="PATH", help="interpreter that has PyTorch")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _verification(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("source", metavar="SOURCE")
    add("ported", metavar="PORTED")
    add("--record", metavar="REF.npz", help="run only the source side here, and keep its numbers")
    add("--against", metavar="REF.npz", help="run only the ported side, against recorded numbers")
    add("--format", choices=("text", "json"), default="text")
    _page(add)
    _case(command)


def _state(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("paths", nargs="*", metavar="PATH", default=["."], help="files and folders; default: here")
    add("--direction", choices=("tf2torch", "torch2tf"), default="tf2torch")
    add("--format", choices=("text", "json"), default="text")


def _query(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("query", nargs="?", default="", metavar="QUERY", help="a name of either side, or words; default: all rows")
    add("--coverage", action="store_true", help="how many of the calls in published model files the tables know")
    add("--prove", metavar="FILE", help="run the samples of your own rows in both frameworks; this runs your code")
    add("--page", action="store_true", help="print docs/ops.md, the page of what is supported")


def _code(command: argparse.ArgumentParser) -> None:
    command.add_argument("code", nargs="?", default="", metavar="CODE", help="as in P203; default: list all")
    command.add_argument("--page", action="store_true", help="print docs/findings.md, the whole catalogue")
