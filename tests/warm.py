"""Children of verify without the wait for their framework: a process that has imported it forks one for each run.

A fork of a process that has imported a framework and done nothing else is what a new process is after its import.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Lock
from typing import IO, Any

IMPORTS = {"tf": "tensorflow, keras", "torch": "torch"}
SERVED = ("OMP_NUM_THREADS", "KERAS_BACKEND", "TF_CPP_MIN_LOG_LEVEL", "TF_ENABLE_ONEDNN_OPTS", "CUDA_VISIBLE_DEVICES",
          "PYTHONPATH", "TF_USE_LEGACY_KERAS")  # what an import may read


class Server:
    """A process that has imported a framework; tests ask it from several threads."""

    def __init__(self, side: str, env: dict[str, str]):
        self.lock = Lock()
        self.process = subprocess.Popen([sys.executable, "-P", __file__, side], env=env, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def ask(self, request: dict[str, Any]) -> Any:
        assert self.process.stdin is not None and self.process.stdout is not None
        with self.lock:
            print(json.dumps(request), file=self.process.stdin, flush=True)
            return json.loads(self.process.stdout.readline())


class Child:
    """A run, seen as `subprocess.Popen` shows it."""

    def __init__(self, server: Server, request: dict[str, Any]):
        self.server, self.returncode = server, None
        self.pid = server.ask(request)

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self.server.ask({"poll": self.pid})
        return self.returncode

    def wait(self) -> int | None:
        while self.poll() is None:
            time.sleep(0.03)
        return self.returncode

    def kill(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


STARTING = Lock()


@cache
def _server(side: str, env: tuple[tuple[str, str], ...]) -> Server:
    return Server(side, dict(env))


def start(command: list[str], env: dict[str, str], log: IO[bytes], folder: Path) -> Any:
    """In the place of `port.verify.parent.start`; another interpreter or backend gets a process of its own."""
    side = command[-2]
    if command[0] != sys.executable or env.get("KERAS_BACKEND", "tensorflow") != "tensorflow":
        return subprocess.Popen(command, env=env, stdout=log, stderr=log, cwd=folder)
    known = {name: env[name] for name in (*SERVED, "PATH", "HOME", "LD_LIBRARY_PATH") if name in env}
    with STARTING:
        server = _server(side, tuple(sorted(known.items())))
    return Child(server, {"code": command[3], "args": command[4:], "env": env, "log": log.name,
                          "folder": str(folder)})


# ---------------------------------------------------------------- the process that forks
def serve(side: str) -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a framework prints is no answer
    with suppress(ImportError):  # then the child says so
        exec(f"import {IMPORTS[side]}")
    for line in sys.stdin:
        request = json.loads(line)
        if "poll" in request:
            pid, status = os.waitpid(request["poll"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        else:
            answer = os.fork()
            if not answer:
                _run(request)
        print(json.dumps(answer), file=answers, flush=True)


def _run(request: dict[str, Any]) -> None:
    """The child: what `python -P -c code args` would do."""
    status = 1
    try:
        log = os.open(request["log"], os.O_WRONLY | os.O_APPEND)
        for stream in (1, 2):
            os.dup2(log, stream)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.environ.clear()
        os.environ.update(request["env"])
        os.chdir(request["folder"])
        sys.argv = ["-c", *request["args"]]
        exec(request["code"], {"__name__": "__main__"})
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    serve(sys.argv[1])
