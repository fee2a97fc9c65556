"""What columns of real tables are, by hand, and which answers about them are right."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.benchmarks.guesses.peers import Verdicts

RIGHT: dict[str, frozenset[str]] = {
    "number": frozenset({"number"}),
    "yes_no": frozenset({"yes_no", "category", "number"}),  # 0 and 1 are the same to a model
    "category": frozenset({"category", "yes_no"}),
    "ordered": frozenset({"ordered", "number"}),
    "date": frozenset({"date"}),
    "text": frozenset({"text", "id", "constant"}),  # a peer that drops it calls it so
    "id": frozenset({"id", "text", "constant"}),
    "group": frozenset({"group"}),
    "constant": frozenset({"constant"}),
    "leak": frozenset({"leak"}),
}
MISSING = "missing codes"
QUESTIONS = (*RIGHT, MISSING)


@dataclass(frozen=True)
class Table:
    """A table's origin, its target, its columns that are no plain numbers, and its codes.

    No rule was ever made from what is held out.
    """

    origin: str
    target: str
    kinds: Mapping[str, str]
    codes: Mapping[str, tuple[str, ...]]
    is_held_out: bool = False

    def kind_of(self, column: str) -> str:
        """One of `RIGHT`, or `any` for what is not judged."""
        return "any" if column == self.target else self.kinds.get(column, "number")


def load_truth() -> dict[str, Table]:
    """All tables, by name."""
    text = (Path(__file__).parent / "truth.yaml").read_text(encoding="utf-8")
    return {str(name): _read(given) for name, given in yaml.safe_load(text).items()}


def _read(given: dict[str, Any]) -> Table:
    kinds = {str(column): kind for kind in (*RIGHT, "any") for column in given.get(kind, ())}
    codes = {str(column): tuple(words) for column, words in given.get("missing", {}).items()}
    return Table(given["from"], str(given["target"]), kinds, codes, bool(given.get("held_out")))


def judge(
    table: Table, cells: Mapping[str, list[str]], verdicts: Verdicts
) -> list[tuple[str, str, str, bool]]:
    """The question, the column, the answer, and whether it is right, of each column."""
    found = []
    for column, texts in cells.items():
        kind = table.kind_of(column)
        told, missing = verdicts.get(column, ("nothing", 0))
        if kind != "any":
            found.append((kind, column, told, told in RIGHT[kind]))
        if column in table.codes:
            wanted = sum(text == "" or text in table.codes[column] for text in texts)
            found.append((MISSING, column, f"{missing} cells", missing == wanted))
    return found
