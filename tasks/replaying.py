"""Runs a replay: makes the models of a history side by side, and asks the detectors of others.

Each model is kept in the store under a name that follows from its history, so that a replay that was
interrupted goes on, and one with another policy makes nothing anew.
"""

import io as streams
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from driftline.digests import digest_bytes, digest_table
from driftline.errors import DataError, NotFoundError
from driftline.history import History, Renewed, cut_history, renew_at
from driftline.probe import Probe
from driftline.problem import Problem
from driftline.promise import Recipe, read_promise
from driftline.replay import Replay
from tasks.decorators import io, work
from tasks.files import locate, read_file, write_file
from tasks.progress import bar, tell

MOST_REFERENCE_ROWS = 10_000  # of Evidently's reference: it keeps them all in memory
DATASET_DRIFT_SHARE = 0.5  # Evidently's own default
ADWIN_DELTA = 0.002  # river's own default


@work(name="order rows")
def order_rows(raw: pd.DataFrame, order_by: str | None, problem: Problem) -> pd.DataFrame:
    """The rows in order of time, by a column that need not be one of the problem's."""
    if order_by is None:
        return raw
    if order_by not in raw.columns:
        message = f"--order-by: got {order_by!r}, wanted one of {', '.join(map(str, raw.columns))}"
        raise DataError(message)
    moments = pd.to_numeric(raw[order_by], errors="coerce")
    if moments.isna().any():
        moments = pd.to_datetime(raw[order_by], errors="coerce", format="mixed", utc=True)
    if moments.isna().any():
        message = (
            f"--order-by: column {order_by!r} holds {int(moments.isna().sum())} values that are "
            "neither numbers nor dates; wanted an order for every row"
        )
        raise DataError(message)
    ordered = raw.iloc[np.argsort(moments.to_numpy(), kind="stable")].reset_index(drop=True)
    target = problem.target
    named = {*problem.columns, *problem.ignored, target.name, *target.aliases}
    named |= {alias for column in problem.columns.values() for alias in column.aliases}
    return ordered if order_by in named else ordered.drop(columns=order_by)


@work(name="cut history")
def make_history(table: pd.DataFrame, problem: Problem, *, windows: int) -> History:
    """The cleaned rows as windows."""
    history = cut_history(table, problem, windows=windows)
    tell(f"{len(table)} rows in {windows} windows of about {len(table) // windows}")
    return history


@work(name="make models")
def make_models(history: History, recipe: Recipe) -> list[Renewed]:
    """The model of each window, side by side on all processors."""
    from joblib import Parallel, delayed

    key = _key_of(history, recipe)
    models = {window: _load(key, window) for window in range(history.windows)}
    missing = [window for window, model in models.items() if model is None]
    if len(missing) < history.windows:
        tell(f"{history.windows - len(missing)} of {history.windows} models were made before")
    with bar("make models") as advance:
        made = Parallel(n_jobs=-1, return_as="generator_unordered")(
            delayed(renew_at)(history, window, recipe)
            for window in sorted(missing, reverse=True)  # the longest first
        )
        for done, model in enumerate(made, start=1):
            _keep(key, model)
            models[model.window] = model
            advance(done / len(missing))
    return [model for _, model in sorted(models.items()) if model is not None]


def _key_of(history: History, recipe: Recipe) -> str:
    problem = history.problem
    facts = {
        "rows": digest_table(history.table),
        "cuts": history.cuts,
        "columns": problem.model_dump(include={"columns", "target", "goal"}, mode="json"),
        "loss": problem.drift.loss,
        "recipe": recipe.__dict__,
    }
    return digest_bytes(json.dumps(facts, sort_keys=True, default=str).encode())[:32]


def _place(key: str, window: int) -> str:
    return locate("replays", key, f"window-{window:04d}.npz")


@io(name="keep model")
def _keep(key: str, model: Renewed) -> None:
    arrays = {"answers": model.answers.astype(np.float32)}
    if model.probe is not None:
        arrays |= {f"probe_{past}": p for past, p in model.probe.probabilities.items()}
    facts = {
        "window": model.window,
        "learnt": model.learnt,
        "threshold": model.threshold,
        "promise": model.promise.to_document(),
        "past": None if model.probe is None else model.probe.past,
    }
    buffer = streams.BytesIO()
    np.savez_compressed(buffer, facts=np.array(json.dumps(facts)), **arrays)  # type: ignore[arg-type]
    write_file(_place(key, model.window), buffer.getvalue())


@io(name="look for model")
def _load(key: str, window: int) -> Renewed | None:
    try:
        content = read_file(_place(key, window))
    except NotFoundError:
        return None
    with np.load(streams.BytesIO(content), allow_pickle=False) as arrays:
        facts = json.loads(str(arrays["facts"]))
        probed = {int(n[6:]): arrays[n] for n in arrays.files if n.startswith("probe_")}
        return Renewed(
            window=window,
            learnt=int(facts["learnt"]),
            answers=arrays["answers"].astype(np.float64),
            promise=read_promise(facts["promise"]),
            threshold=facts["threshold"],
            probe=Probe(probed, int(facts["past"])) if probed else None,
        )


def reference_of(replay: Replay, champion: int) -> pd.DataFrame:
    """The rows that the model of a window learnt from."""
    history, model = replay.history, replay.models[champion]
    end = history.before(champion)
    return history.table.iloc[end - model.learnt : end]


def evidently_flag(replay: Replay) -> Callable[[int, int], bool]:
    """Evidently's data drift preset with its defaults: half of the columns have drifted."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    problem = replay.history.problem
    numbers = [n for n, spec in problem.columns.items() if spec.kind != "category"]
    words = [n for n in problem.columns if n not in numbers]

    def flag(champion: int, window: int) -> bool:
        reference = reference_of(replay, champion)
        if len(reference) > MOST_REFERENCE_ROWS:
            reference = reference.sample(MOST_REFERENCE_ROWS, random_state=0)
        current = replay.history.table.iloc[replay.history.rows_of(window)]
        usable = [n for n in problem.columns if reference[n].notna().any()]
        usable = [n for n in usable if current[n].notna().any()]
        definition = DataDefinition(
            numerical_columns=[n for n in numbers if n in usable],
            categorical_columns=[n for n in words if n in usable],
        )
        now, then = (
            Dataset.from_pandas(part[usable].reset_index(drop=True), definition)
            for part in (current, reference)
        )
        document = json.loads(Report([DataDriftPreset()]).run(now, then).json())
        return _drifted_share(document) >= DATASET_DRIFT_SHARE

    return flag


def _drifted_share(document: dict[str, Any]) -> float:
    for metric in document["metrics"]:
        value = metric.get("value")
        if isinstance(value, dict) and "share" in value:
            return float(value["share"])
    return 0.0


@dataclass
class AdwinFlag:
    """River's ADWIN on the champion's losses, row by row; it flags where they rose."""

    replay: Replay
    _detectors: dict[int, Any] = field(default_factory=dict)

    def __call__(self, champion: int, window: int) -> bool:
        """Whether a rise was detected in this window."""
        from river.drift import ADWIN

        detector = self._detectors.setdefault(champion, ADWIN(delta=ADWIN_DELTA))
        has_risen = False
        for loss in self.replay.losses(champion, window).tolist():
            before = detector.estimation
            detector.update(loss)
            has_risen |= detector.drift_detected and detector.estimation > before
        return has_risen


def tell_courses(lines: Iterable[str]) -> None:
    """Say how each policy did."""
    for line in lines:
        tell(line)
