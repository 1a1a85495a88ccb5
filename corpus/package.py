"""A made-up package of a thousand files, and what whole commands cost on it: `python -m corpus.bench package`.

Times are processor seconds of the command with its workers, so that a busy machine counts little; those that depend on
the number of cores are wall clock, and say so.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parent / "examples"
PLAIN = '"""Plain code of part {0}."""\n\nimport os\n\nfrom .size import WIDTH\n\n\n' + "".join(
    f"def f{i}(values, scale={{0}}):\n    total = [v * scale + {i} for v in values if v]\n"
    f"    return os.sep.join(map(str, total)), WIDTH\n\n\n" for i in range(12))


def make(folder: Path, count: int = 1000, parts: int = 20) -> None:
    """`count` files in `parts` sub-packages; a third use TensorFlow, the rest are plain and import from each other."""
    models = sorted(EXAMPLES.glob("*.py"))
    (folder / "__init__.py").write_text("")
    for number in range(count - 1):
        part, place = number % parts, number // parts
        inside = folder / f"part{part:02d}"
        inside.mkdir(exist_ok=True)
        if place < 2:
            (inside / ("__init__.py", "size.py")[place]).write_text(("", f"WIDTH = {part + 4}\n")[place])
        elif place % 3:
            (inside / f"plain{place:02d}.py").write_text(PLAIN.format(number))
        else:
            model = models[number % len(models)].read_text(encoding="utf-8")
            (inside / f"model{place:02d}.py").write_text(f"{model}\n\nNUMBER = {number}\n", encoding="utf-8")


def spent(arguments: list[str], folder: Path) -> tuple[float, float]:
    """(processor seconds, wall clock) of one command."""
    def used() -> float:
        now = resource.getrusage(resource.RUSAGE_CHILDREN)
        return now.ru_utime + now.ru_stime

    before, start = used(), time.perf_counter()
    command = [sys.executable, "-m", "port.cli", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode > 1:
        raise RuntimeError((done.stderr or done.stdout)[-500:])
    return used() - before, time.perf_counter() - start


def killed(folder: Path, seconds: float, jobs: int) -> int:
    """Results that a run leaves which is killed with its workers after so long."""
    child = subprocess.Popen([sys.executable, "-m", "port.cli", "tf2torch", "pkg", "--jobs", str(jobs)], cwd=folder,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    time.sleep(seconds)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    return len(list((folder / ".port_cache").glob("??/*.json")))


def measure(count: int = 1000) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pkg").mkdir()
        make(folder / "pkg", count)
        (folder / "one.py").write_text("import os\n")
        (folder / "idle").mkdir()
        for path in (folder / "pkg").rglob("plain*.py"):
            shutil.copy(path, folder / "idle" / f"{path.parent.name}_{path.name}")
        idle = len(list((folder / "idle").iterdir()))
        (folder / "pyproject.toml").write_text("[tool.port]\n")
        start, _ = spent(["tf2torch", "one.py", "--check", "--no-cache"], folder)
        all_, _ = spent(["tf2torch", "idle", "--check", "--no-cache"], folder)
        print(f"a file without framework code: {(all_ - start) / idle * 1e3:.2f} ms after a start of {start:.2f} s")
        cores = os.cpu_count() or 1
        cold, wall_one = spent(["tf2torch", "pkg", "--jobs", "1"], folder)
        warm, _ = spent(["tf2torch", "pkg", "--jobs", "1"], folder)
        print(f"{count} files, one process: {cold:.1f} s, {wall_one:.1f} s wall clock; from the cache: {warm:.1f} s")
        model = next((folder / "pkg").rglob("model*.py"))
        model.write_text(model.read_text(encoding="utf-8") + "\n\nMORE = 1\n", encoding="utf-8")
        print(f"one model changed: {spent(['tf2torch', 'pkg', '--jobs', '1'], folder)[0]:.1f} s")
        shutil.rmtree(folder / ".port_cache")
        both, wall_all = spent(["tf2torch", "pkg", "--jobs", str(cores)], folder)
        print(f"--jobs {cores}: {both:.1f} s, {wall_all:.1f} s wall clock, {wall_one / wall_all:.2f} times as fast")
        shutil.rmtree(folder / ".port_cache")
        left = killed(folder, wall_all / 2, cores)
        rest, _ = spent(["tf2torch", "pkg", "--jobs", str(cores)], folder)
        print(f"killed half-way: {left} results were kept, the next run took {rest:.1f} s")
