"""What a recurrent layer was made with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from port.tf2torch.calls.job import Job

KINDS = {"LSTM": "lstm", "CuDNNLSTM": "lstm", "GRU": "gru", "CuDNNGRU": "gru", "SimpleRNN": "rnn", "RNN": "cell"}


@dataclass
class Settings:
    """What a recurrent layer was made with."""

    kind: str
    sequences: bool | None  # None: only known when it runs
    state: bool
    backwards: bool
    plain: bool  # activations and gates as torch's own module has them
    relu: bool = False

    @property
    def states(self) -> int:
        return 2 if self.kind == "lstm" else 1


def settings(job: Job) -> Settings:
    kind = KINDS[job.row.tf[0].name.rpartition(".")[2]]
    params = {p.name for p in job.bound.signature.params}

    def flag(name: str) -> Any:
        return job.literal(name) if name in params else False

    sequences, state, backwards = flag("return_sequences"), flag("return_state"), flag("go_backwards")
    if not isinstance(state, bool) or not isinstance(backwards, bool):
        raise job.refuse("P202", "`return_state` or `go_backwards` is not a literal")
    sequences = sequences if isinstance(sequences, bool) else None
    if kind == "cell":
        return Settings(kind, sequences, state, backwards, False)
    activation = activation_name(job, "activation") if "activation" in params else "tanh"
    plain = activation == "tanh" or (kind == "rnn" and activation == "relu")
    if "recurrent_activation" in params:
        plain = plain and activation_name(job, "recurrent_activation") == "sigmoid"
    if "reset_after" in params:
        plain = plain and job.literal("reset_after") is True
    return Settings(kind, sequences, state, backwards, plain, activation == "relu")


def activation_name(job: Job, name: str) -> str:
    """The activation's name; '?' for a function of the user's."""
    value = job.literal(name)
    if isinstance(value, str):
        return value
    if value is None:
        return "linear"
    symbol = job.em.symbol(job.bound.args[name]) if job.given(name) else ""
    return symbol.rpartition(".")[2] if symbol.startswith(("tf.", "keras.")) else "?"
