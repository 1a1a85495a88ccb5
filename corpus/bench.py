"""Figures that the README quotes: `python -m corpus.bench
[translation|back|startup|verify|step|keras_step|package|peers]`.

Each figure is a ratio of two times taken in one run, so that it holds on any machine. `peers` compares whole commands
with other translators, where they are installed: $PACONVERT and $TF_UPGRADE name their commands (not in this venv).
"""

from __future__ import annotations

import gc
import importlib.util
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = ROOT / "tests" / "golden" / "tf2torch"
FAMILIES = ("vgg16", "resnet", "densenet", "mobilenet", "mobilenet_v2", "mobilenet_v3", "xception", "inception_v3",
            "inception_resnet_v2", "efficientnet", "efficientnet_v2", "nasnet", "convnext")


def applications() -> Path:
    spec = importlib.util.find_spec("keras")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "src" / "applications"


def once(run: Callable[[], Any]) -> float:
    """Seconds of this process' own time."""
    gc.collect()
    start = time.process_time()
    run()
    return time.process_time() - start


def translation(rounds: int = 7) -> None:
    """Translating against libcst's own parse plus print, in turn; neither clears up what the other left."""
    import libcst as cst

    from port.translate import translate

    texts = {name: (applications() / f"{name}.py").read_text() for name in FAMILIES}
    for text in texts.values():
        translate(text, "tf2torch")  # the table and the helpers are read once
    total = [0.0, 0.0]
    for name, text in texts.items():
        times = [(once(lambda text=text: cst.parse_module(text).code),  # type: ignore[misc]
                  once(lambda text=text: translate(text, "tf2torch"))) for _ in range(rounds)]  # type: ignore[misc]
        base, mine = (min(t[i] for t in times) for i in (0, 1))
        total = [total[0] + base, total[1] + mine]
        print(f"{name:20s} parse+print {base * 1e3:6.1f} ms   translate {mine * 1e3:7.1f} ms   "
              f"{mine / base:5.1f} times")
    print(f"{'together':20s} {total[1] / total[0]:.1f} times")


def back(rounds: int = 5) -> None:
    """torch2tf of vit-pytorch, whose files import from each other, as one package and file by file."""
    import libcst as cst

    from corpus import entries, fetch
    from port import batch, files
    from port.result import Options
    from port.translate import translate

    folder = fetch.tree("vit-pytorch", entries.load()[0]["packages"]) / "vit_pytorch"
    found = files.find([folder], (), None)
    texts = [item.path.read_text(encoding="utf-8") for item in found]
    runs: list[Callable[[], Any]] = [
        lambda: [cst.parse_module(text).code for text in texts],
        lambda: list(batch.run(found, "torch2tf", lambda path: Options())),
        lambda: [translate(text, "torch2tf") for text in texts]]
    for run in runs[1:]:
        run()  # the table and the helpers are read once
    times = [[once(run) for run in runs] for _ in range(rounds)]
    base, package, alone = (min(t[i] for t in times) for i in range(3))
    print(f"{len(texts)} files: parse+print {base:.2f} s; torch2tf of the package {package / base:.1f} times, "
          f"file by file {alone / base:.1f} times")


def wall(command: list[str], times: int = 5) -> float:
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        subprocess.run(command, check=False, capture_output=True)
        spent.append(time.perf_counter() - start)
    return statistics.median(spent)


def startup() -> None:
    rich = wall([sys.executable, "-c", "import rich"], 9)
    mine = wall([sys.executable, "-m", "port.cli", "--help"], 9)
    print(f"import rich {rich * 1e3:.0f} ms, port --help {mine * 1e3:.0f} ms: {mine / rich:.2f} times")


VERIFIED = (("tf2torch/functional_resnet", "build_resnet((24, 20, 3), 5)", "f32[2,24,20,3]"),
            ("torch2tf/gpt", "GPT(GPTConfig(block_size=9, vocab_size=23, n_layer=2, n_head=3, n_embd=12))",
             "i64[4,7]<23"),
            ("torch2tf/resnet_class", "resnet_small(num_classes=7, in_channels=5, width=4)", "f32[2,5,37,50]"))


def verify() -> None:
    """A whole run, both children side by side, against the imports of the frameworks alone."""
    tf = wall([sys.executable, "-c", "import tensorflow, keras"], 3)
    torch = wall([sys.executable, "-c", "import torch"], 3)
    print(f"import tensorflow, keras {tf:.1f} s, import torch {torch:.1f} s")
    for pair, call, given in VERIFIED:
        sides = [str(GOLDEN.parent / pair / f"{side}_version.py") for side in pair.split("/")[0].split("2")]
        run = wall([sys.executable, "-m", "port.cli", "verify", *sides, "--call", call, "--input", given], 3)
        print(f"verify {pair:28s} {run:.1f} s: {run / max(tf, torch):.1f} times the slower import")


# ---------------------------------------------------------------- step time
def load(path: Path, name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def ported(source: Path, name: str, direction: str = "tf2torch") -> Any:
    from port.translate import translate

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.py"
        path.write_text(translate(source.read_text(), direction).text)
        return load(path, name)


def compare_steps(mine: Any, hand: Any, twin: Any, x: Any, title: str, rounds: int = 24) -> None:
    """Forward, backward and update, alternately; the median of the ratios of neighbours.

    `twin` is a second model of `hand`'s: what it takes against `hand` is what this machine's noise can show.
    The first steps of a process are slower than later ones, by up to a tenth, for whichever model goes first:
    they are not counted, and the order turns round by round.
    """
    import torch

    models = [m.train() for m in (mine, hand, twin)]
    optimizers = [torch.optim.SGD(m.parameters(), lr=1e-3) for m in models]

    def step(i: int) -> float:
        start = time.perf_counter()
        optimizers[i].zero_grad()
        models[i](x).square().mean().backward()
        optimizers[i].step()
        return time.perf_counter() - start

    times = []
    for turn in range(-5, rounds):
        order = [(turn + k) % 3 for k in range(3)]
        taken = {i: step(i) for i in order}
        if turn >= 0:
            times.append([taken[i] for i in range(3)])
    print_ratio([t[:2] for t in times], title)
    print(f"    by hand against itself in the same rounds: {statistics.median(t[2] / t[1] for t in times):.3f}")


def print_ratio(times: list[list[float]], title: str) -> None:
    ratio = statistics.median(a / b for a, b in times)
    a, b = (statistics.median(t[i] for t in times) for i in (0, 1))
    print(f"{title}: ported {a * 1e3:.0f} ms, by hand {b * 1e3:.0f} ms a step, ratio {ratio:.3f}")


def step() -> None:
    import torch

    from corpus.resnet50_by_hand import ResNet50

    torch.manual_seed(0)
    torch.set_num_threads(1)
    mine = ported(applications() / "resnet.py", "resnet").ResNet50(weights=None, classes=10, input_shape=(96, 64, 3))
    hand, twin = ResNet50(10), ResNet50(10)
    same = sum(p.numel() for p in mine.parameters()) == sum(p.numel() for p in hand.parameters())
    print("the same number of parameters" if same else "NOT the same number of parameters")
    compare_steps(mine, hand, twin, torch.randn(4, 96, 64, 3), "ResNet-50, images (4, 96, 64, 3)")
    case = GOLDEN / "subclass_transformer"
    settings = {"vocab_size": 500, "max_length": 64, "embed_dim": 128, "num_heads": 4, "ff_dim": 512, "num_layers": 4}
    tokens = torch.randint(1, 500, (8, 64))
    mine = ported(case / "tf_version.py", "decoder").TinyDecoder(**settings)
    hand, twin = (load(case / "torch_version.py", "by_hand").TinyDecoder(**settings) for _ in range(2))
    compare_steps(mine, hand, twin, tokens, "transformer, tokens (8, 64)")


def compiled_step(model: Any, x: Any) -> Callable[[], float]:
    """Forward, backward and update of a Keras model as one graph; what it gives is the seconds of one step."""
    import keras
    import tensorflow as tf

    optimizer = keras.optimizers.SGD(1e-3)

    @tf.function  # type: ignore[untyped-decorator]
    def run(x: Any) -> Any:
        with tf.GradientTape() as tape:
            y = model(x, training=True)
            loss = tf.reduce_mean(tf.square(y[0] if isinstance(y, tuple) else y))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    def timed() -> float:
        start = time.perf_counter()
        run(x).numpy()
        return time.perf_counter() - start

    model(x, training=False)  # Keras makes the weights here
    timed()  # and the graph here
    return timed


def keras_step(rounds: int = 7) -> None:
    """Ported Keras models against the same architectures written by hand in Keras."""
    import keras
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    case = GOLDEN.parent / "torch2tf" / "gpt"
    mine, hand = ported(case / "torch_version.py", "gpt", "torch2tf"), load(case / "tf_version.py", "gpt_by_hand")
    settings = {"block_size": 64, "vocab_size": 500, "n_layer": 4, "n_head": 4, "n_embd": 128}
    resnet = ported(Path(__file__).parent / "resnet50_by_hand.py", "resnet50", "torch2tf").ResNet50(10)
    images = keras.applications.ResNet50(weights=None, classes=10, input_shape=(96, 64, 3))
    for title, x, pair in (
            ("GPT, tokens (8, 64)", tf.random.uniform((8, 64), 0, 500, tf.int64),
             [module.GPT(module.GPTConfig(**settings)) for module in (mine, hand)]),
            ("ResNet-50 in Keras, images (4, 96, 64, 3)", tf.random.normal((4, 96, 64, 3)), [resnet, images])):
        steps = [compiled_step(model, x) for model in pair]
        print("the same number of parameters" if pair[0].count_params() == pair[1].count_params()
              else f"NOT the same number of parameters: {[m.count_params() for m in pair]}")
        print_ratio([[run() for run in steps] for _ in range(rounds)], title)


# ---------------------------------------------------------------- other translators
def spent(command: list[str], most: int = 0) -> float:
    """Processor seconds of a command and its children, so that a busy machine does not count; `most`: its exit code."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode > most:
        raise RuntimeError(f"{command[0]}: {(done.stderr or done.stdout)[-300:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def peers(rounds: int = 3) -> None:
    """Lines per second of whole commands: PaConvert on vit-pytorch, tf_upgrade_v2 on the TF 1 files of tf-slim."""
    from corpus import entries, fetch

    packages = entries.load()[0]["packages"]
    for name, variable, inside, direction, shape in (
            ("PaConvert", "PACONVERT", ("vit-pytorch", "vit_pytorch"), "torch2tf",
             ["--in_dir", "{source}", "--out_dir", "{out}", "--log_level", "WARNING"]),
            ("tf_upgrade_v2", "TF_UPGRADE", ("tf-slim", "tf_slim/nets"), "tf2torch",
             ["--intree", "{source}", "--outtree", "{out}", "--reportfile", "{out}.txt"])):
        if variable not in os.environ:
            print(f"{name}: not run, ${variable} is not set")
            continue
        source = fetch.tree(inside[0], packages) / inside[1]
        lines = sum(path.read_text().count("\n") for path in source.rglob("*.py"))
        times = []
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as folder:
                given = [part.format(source=source, out=f"{folder}/peer") for part in shape]
                mine = [sys.executable, "-m", "port.cli", direction, str(source), "-o", f"{folder}/port", "--jobs", "1",
                        "--no-cache"]
                times.append((spent([os.environ[variable], *given]), spent(mine, 1)))  # 1: some is left
        theirs, ours = (statistics.median(t[i] for t in times) for i in (0, 1))
        print(f"{name} on {inside[0]}, {lines} lines: {lines / theirs:.0f} lines per second, port {lines / ours:.0f}: "
              f"{statistics.median(t[0] / t[1] for t in times):.2f} times as fast (median of {rounds})")


def package() -> None:
    from corpus.package import measure

    measure()


if __name__ == "__main__":
    wanted = sys.argv[1:] or ["translation", "startup", "verify", "step"]
    for each in wanted:
        {"translation": translation, "back": back, "startup": startup, "verify": verify, "step": step,
         "keras_step": keras_step, "package": package, "peers": peers}[each]()
