"""Everything that `port` can tell a user about a place in a file: the whole catalogue of codes."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Outcome(enum.Enum):
    """How sure a translation is; the order is from harmless to fatal."""

    EXACT = "exact"
    DIFFERS = "differs"
    ASSUMED = "assumed"
    REFUSED = "refused"
    INTERNAL = "internal"

    @property
    def needs_person(self) -> bool:
        return self in (Outcome.REFUSED, Outcome.INTERNAL)


@dataclass(frozen=True)
class Code:
    """One entry of the catalogue: `what` it means and what to `do` about it."""

    id: str
    outcome: Outcome
    title: str
    what: str
    do: str


@dataclass(frozen=True, order=True)
class Finding:
    """A code at a place. Lines count from 1, columns from 0, as in Python's own `ast`."""

    line: int
    column: int
    code: str
    message: str
    end_line: int = 0
    end_column: int = 0
    symbol: str = ""  # canonical name or row that the finding is about

    @property
    def outcome(self) -> Outcome:
        return CATALOGUE[self.code].outcome


def _catalogue(*codes: Code) -> dict[str, Code]:
    return {code.id: code for code in codes}


R, D, A = Outcome.REFUSED, Outcome.DIFFERS, Outcome.ASSUMED
CATALOGUE = _catalogue(
    Code("P001", Outcome.EXACT, "note", "Something was left out or added that changes no number.",
         "Nothing; read it once."),
    Code("P002", Outcome.EXACT, "unused suppression",
         "A `# port:` comment suppresses nothing: there is no such finding here, or no code to skip.",
         "Remove the comment."),
    Code("P101", D, "declared divergence",
         "The translation is the usual one, but its row declares a bounded difference.",
         "Read the formula; decide whether it matters to you."),
    Code("P102", A, "input size left open",
         "No call in this project shows how many channels or features arrive here, so a Lazy module was written.",
         "Write the size, or run `port verify` with a case."),
    Code("P103", A, "assumption",
         "The translation holds under an assumption that the source does not prove.",
         "Check the stated assumption."),
    Code("P201", R, "no translation known",
         "The symbol has no row in the tables.",
         "Replace it by hand, or add a row for it."),
    Code("P202", R, "argument not understood",
         "An argument, or its value, has no exact counterpart.",
         "Rewrite the call without that argument, or translate the line by hand."),
    Code("P203", R, "no equivalent",
         "The other framework has nothing that computes this.",
         "Follow the advice in the message."),
    Code("P204", R, "receiver not known",
         "It could not be inferred what kind of object this is called on, so nothing is guessed.",
         "Add a type hint, or translate the line by hand."),
    Code("P205", R, "training code",
         "Training loops, optimizers, tapes, compile, fit and data pipelines are not translated yet; the model is.",
         "Write the training loop by hand; the ported model trains with any loop of its framework."),
    Code("P206", R, "construct not understood",
         "The structure of this code (a graph, a class, a loop) is not one that can be split safely.",
         "Follow the advice in the message."),
    Code("P207", R, "weights file",
         "Weights files of the other framework cannot be read by the ported code.",
         "Convert the weights once; `port verify` shows how parameters pair."),
    Code("P208", R, "shape or rank not known",
         "The translation depends on a rank or size that inference does not know here.",
         "State the shape (an Input, a type hint), or translate the line by hand."),
    Code("P209", R, "layout conflict",
         "The tensor reaches this place in two layouts, or a helper is used with both.",
         "Separate the two uses."),
    Code("P210", R, "imported file not ported",
         "The file imports from another one of the project, which is not ported in this run.",
         "Give port both files, or the folder that holds them."),
    Code("P211", R, "skipped code in use",
         "Code under `# port: skip` stays in the source's framework; what it gives to other code is unknown there.",
         "Port the skipped code by hand, then look at the places that are named."),
    Code("P301", R, "new code of the framework",
         "The place is not in the baseline: code was added for the framework that the project is leaving.",
         "Write it for the other framework; --update-baseline accepts it."),
    Code("P901", Outcome.INTERNAL, "internal error", "A fault of port; the file was left untouched.",
         "Please report it with the file."),
    Code("P902", Outcome.INTERNAL, "file not parsed", "The file is not valid Python for this interpreter.",
         "Fix the syntax error; the file was left untouched."),
)
