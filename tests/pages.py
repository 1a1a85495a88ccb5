"""Reports for the page's tests: verdicts, findings, hostile text, and a file of two thousand lines."""

from __future__ import annotations

import math

from port.findings import Finding
from port.report.model import CaseVerdict, FileReport, Report
from port.result import Edit, Result
from port.verify.cases import Case
from port.verify.compare import Row
from port.verify.verdict import MISMATCH, VERIFIED, PairLine, Place, Verdict

HOSTILE = ("</script><script>window.pwned=1</script><img src=x onerror=window.pwned=1>\"'><svg onload=window.pwned=1>"
           "{}$title&lt;")
LAYERS = tuple(f"block_{i}_conv" for i in range(40))


def verdict(status: str, text: str = "") -> Verdict:
    rows = [Row(dtype, "dw", 0, "train", f"{i}/kernel", error * (1 + i), limit, 1.0) for i in range(40)
            for dtype, error, limit in (("float64", 2e-16, 1e-9), ("float32", 1e-7, 1e-4))]
    rows += [Row("float64", group, 0, "infer", "0", error, 1e-9, 1.0) for group, error in (("y", 0.0), ("dx", 1e-15))]
    if status == MISMATCH:
        rows[6] = Row("float64", "dw", 0, "train", "3/kernel", 3e-4, 1e-9, 1.0)
        rows[8] = Row("float64", "dw", 0, "train", "4/kernel", math.inf, 1e-9, 1.0, "only in the source")
    pairs = tuple(PairLine(f"{n} [Conv2D: kernel [3, 3]]", f"b.{i}.conv", "kernel -> weight", "name")
                  for i, n in enumerate(LAYERS))
    place = Place("", "stem/conv" + text, "self.conv", (7, 31), ()) if status == MISMATCH else None
    return Verdict(Case(f"build('{text}')", ("f32[2,24,20,3]",)), status, "numeric", text, 1e-12, tuple(rows), pairs,
                   place, notes=("dropout switched off",), layers=tuple(layer + text for layer in LAYERS))


def said(status: str, text: str = "") -> CaseVerdict:
    return CaseVerdict(f"build('{text}')", status, text, verdict(status, text))


def small() -> Report:
    """Three findings in two files, a verified case, a mismatch, an unchanged file, and one that could not be read."""
    equal = "".join(f"line_{n} = {n}\n" for n in range(30))
    first = Result(f"import tensorflow as tf\n{equal}y = tf.abs(x)\nz = tf.strings.f(x)\n",
                   f"import tensorflow as tf\nimport torch\n{equal}y = torch.abs(x)\nz = tf.strings.f(x)\n",
                   edits=(Edit(1, 1, "rule imports"), Edit(32, 32, "row abs")))
    findings = (Finding(32, 4, "P101", "abs of NaN"), Finding(33, 4, "P203", "torch has no string tensors"))
    return Report("tf2torch", (
        FileReport("pkg/first.py", first, findings, verdicts=(said(VERIFIED),)),
        FileReport("pkg/second.py", Result("a = tf\n", "a = torch\n"), (Finding(1, 0, "P103", "assumed"),),
                   verdicts=(said(MISMATCH, "outputs differ"),)),
        FileReport("pkg/plain.py", Result("x = 1\n", "x = 1\n")),
        FileReport("pkg/gone.py", error="No such file"),
    ))


def hostile() -> Report:
    text = HOSTILE + "\u202e\x0c\x07"
    result = Result(f"a = '''{text}'''\nb = 1\n", f"a = '''{text}x'''\nb = 2\n", edits=(Edit(1, 1, f"row {text}"),))
    finding = Finding(1, 0, "P203", text, symbol=text)
    return Report("tf2torch", (
        FileReport(text, result, (finding,), (finding,), text, text, (said(MISMATCH, text),)),
        FileReport(text, error=text),
    ))


def long() -> Report:
    lines = [f"def function_{n}(x):\n    return tf.abs(x) + {n}  # {'word ' * 9}\n" for n in range(1100)]
    source = "import tensorflow as tf\n" + "".join(lines)
    changed = [line.replace("tf.", "torch.") if n % 10 == 0 else line for n, line in enumerate(lines)]
    findings = tuple(Finding(2 * n + 3, 11, "P101", f"number {n}") for n in range(0, 1100, 10))
    return Report("tf2torch", (FileReport("long.py", Result(source, "import torch\n" + "".join(changed)), findings),))
