"""Small served models, and logs that keep or refuse what they are given."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bentos.log.refusals import Counts
from bentos.log.rows import LOGGED
from bentos.log.writers import LogUnavailableError
from driftline.dataset import draft_contract, encode_rows, encode_target
from driftline.digests import digest_bytes
from driftline.export import export_onnx
from driftline.outcome import outcome_of
from driftline.problem import Problem, parse_problem
from tests.support import ROOT, STAY, make_problem, stay_rows, tiny_rows

MARKER = "Zq7Zq7Zq7"  # what a test sends and must never see again
RULES = {"class": 0.4, "number": 4.0}  # a threshold, or how far intervals reach
RECORD: dict[str, Any] = {"age": 40, "level": 0.5, "sex": "F"}


def tiny_problem() -> Problem:
    """Three fields: a whole number, a number that may be missing, and a category with a unit."""
    return make_problem(
        columns={
            "age": {"kind": "integer", "range": [0, 120], "unit": "years"},
            "level": {"range": [-10, 10], "missing": "allow", "missing_codes": [-9]},
            "sex": {"kind": "category", "categories": ["F", "M"]},
            "ward": {"kind": "category", "categories": ["north", "south"], "missing": "allow"},
        },
        example=RECORD,
    )


def write_tiny_model(folder: Path) -> Path:
    """A tree on the tiny problem, as `contract.json` and `model.onnx`."""
    problem = tiny_problem()
    table = tiny_rows()
    table["ward"] = np.where(table["age"] > 50, "north", "south")
    table["outcome"] = table["outcome"].map({0: "well", 1: "ill"})
    X, y = encode_rows(table, problem), encode_target(table, problem)  # noqa: N806
    return _write(folder, problem, X, y)


def write_breast_cancer_model(folder: Path) -> Path:
    """A tree on the real breast cancer table: 30 fields, every one a plain number."""
    from sklearn.datasets import load_breast_cancer

    text = (ROOT / "data/problems/breast_cancer.yaml").read_text(encoding="utf-8")
    problem = parse_problem(text, name="breast_cancer", file="breast_cancer.yaml")
    X, y = load_breast_cancer(return_X_y=True)  # noqa: N806
    return _write(folder, problem, X.astype(np.float32), 1 - y)


def number_problem(**changes: Any) -> Problem:
    """Days in hospital by the fields of the tiny problem, without the ward."""
    return make_problem(STAY, **changes)


def write_number_model(folder: Path, **changes: Any) -> Path:
    """A tree that predicts a number, whose intervals reach four days."""
    problem, table = number_problem(**changes), stay_rows()
    X, y = encode_rows(table, problem), encode_target(table, problem)  # noqa: N806
    return _write(folder, problem, X, y)


def _write(folder: Path, problem: Problem, X: np.ndarray, y: np.ndarray) -> Path:  # noqa: N803
    outcome = outcome_of(problem)
    candidate = outcome.candidates["decision_tree"]
    onnx = export_onnx(candidate.build({**candidate.defaults}, 0).fit(X, y), X.shape[1])
    contract = replace(
        outcome.seal(draft_contract(problem, snapshot="0" * 64), RULES[problem.target.kind]),
        model_version="7",
        onnx_sha256=digest_bytes(onnx),
        promoted_at="2026-01-02T03:04:05+00:00",
        metrics=(("test_recall", 0.9),),
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(onnx)
    (folder / "contract.json").write_text(contract.to_json(), encoding="utf-8")
    return folder


def list_predictions(entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What an entry says of each prediction, whether it has columns or not."""
    columns = entry.get("columns")
    if columns is None:
        return list(entry["predictions"])
    names, inputs = columns["names"], columns["inputs"]
    if names is not None:
        inputs = [dict(zip(names, values, strict=True)) for values in inputs]
    rest = [columns[name] for name in LOGGED if name not in {"id", "inputs"}]
    return [
        dict(zip(LOGGED, one, strict=True))
        for one in zip(columns["id"], inputs, *rest, strict=True)
    ]


class KeptLog:
    """A log in memory, with the outcomes that the database's labels have."""

    def __init__(self) -> None:
        """Start empty."""
        self.entries: list[dict[str, Any]] = []
        self.labels: dict[str, str] = {}
        self.refused: Counter[tuple[str, str, str, str]] = Counter()

    @property
    def predictions(self) -> list[dict[str, Any]]:
        """Every logged prediction, whatever request it came with."""
        return [one for entry in self.entries for one in list_predictions(entry)]

    def write(self, entry: dict[str, Any]) -> None:
        """Keep it."""
        self.entries.append(entry)

    def refuse(self, problem: str, version: str, counts: Counts) -> None:
        """Add up."""
        for (field, kind), count in counts.items():
            self.refused[problem, version, field, kind] += count

    def label(self, prediction_id: str, label: str) -> str:
        """The first label stands."""
        if prediction_id not in {one["id"] for one in self.predictions}:
            return "unknown"
        if prediction_id not in self.labels:
            self.labels[prediction_id] = label
            return "added"
        return "same" if self.labels[prediction_id] == label else "different"


class FullLog:
    """A log whose disk is full and whose database is away."""

    def write(self, _entry: dict[str, Any]) -> None:
        """Refuse."""
        raise LogUnavailableError

    def refuse(self, _problem: str, _version: str, _counts: Counts) -> None:
        """Let it wait."""

    def label(self, _prediction_id: str, _label: str) -> str:
        """Refuse."""
        raise LogUnavailableError


def tiny_records(count: int) -> Iterable[dict[str, Any]]:
    """Valid records of the tiny problem."""
    for i in range(count):
        yield {"age": i % 120, "level": None if i % 7 == 0 else i % 10, "sex": "FM"[i % 2]}
