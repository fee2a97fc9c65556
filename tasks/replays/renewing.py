"""Makes the models of a history side by side, and keeps them.

Each model is kept in the store under a name that follows from its history, so that a replay that
was interrupted goes on, and one with another policy makes nothing anew.
"""

import io as streams
import json
from collections.abc import Iterator
from typing import Any, Final, Literal

import numpy as np

from driftline.boosting import has_library
from driftline.digests import digest_bytes, digest_table
from driftline.errors import NotFoundError, ProblemError
from driftline.history import History, Renewed, renew_at
from driftline.probe import Probe
from driftline.promise import DEFAULT_RECIPE, MADE_FROM, Recipe, read_promise
from driftline.recalibration import read_baseline
from tasks.cluster import spread
from tasks.data.files import locate, read_file, write_file
from tasks.decorators import io, work
from tasks.progress import bar, tell

QUICK: Final = "lightgbm"  # bundles the columns of a category, which scikit-learn counts one by one
MANY_CELLS: Final = 5_000_000  # of the matrix: fewer are learnt from in minutes by either
KEPT_AS = 3  # counts up where what is kept of a model comes to mean something else


def choose_recipe(candidate: str, predicts: Literal["class", "number"] = "class") -> Recipe:
    """How the models are made: a candidate with its defaults."""
    known = MADE_FROM[predicts]
    if candidate not in known:
        message = f"--candidate: got {candidate!r}, wanted one of {', '.join(known)}"
        raise ProblemError(message)
    return Recipe(candidate, known[candidate].defaults, predicts=predicts)


def suit_recipe(history: History) -> Recipe:
    """How the models are made where nobody said: gradient boosting, of many cells the quick one."""
    predicts = history.problem.target.kind
    is_quick = history.X.size > MANY_CELLS and QUICK in MADE_FROM[predicts] and has_library(QUICK)
    if is_quick:
        rows, columns = history.X.shape
        tell(f"models are made by {QUICK}, which is the quicker on {rows} rows x {columns} columns")
    return choose_recipe(QUICK if is_quick else DEFAULT_RECIPE.candidate, predicts)


@work(name="make models")
def make_models(history: History, recipe: Recipe) -> list[Renewed]:
    """The model of each window, made side by side; what was kept is not made anew."""
    key = key_of(history, recipe)
    models = dict(_kept_models(key, history.windows))
    missing = [window for window in range(history.windows) if window not in models]
    if models:
        tell(f"{len(models)} of {history.windows} models were made before")
    with bar("make models") as advance:
        longest_first = sorted(missing, reverse=True)
        made = spread(_renew, (history, recipe), longest_first)
        for done, (window, model) in enumerate(made, start=1):
            content = _pack(model)
            write_file(_place(key, window), content)
            models[window] = _unpack(content)  # as a replay that goes on will read it
            advance(done / len(missing))
    return [models[window] for window in range(history.windows)]


def _renew(history: History, recipe: Recipe, window: int) -> Renewed:
    return renew_at(history, window, recipe)


def _kept_models(key: str, windows: int) -> Iterator[tuple[int, Renewed]]:
    for window in range(windows):
        content = _read_kept(_place(key, window))
        if content is not None:
            yield window, _unpack(content)


@io(name="look for model")
def _read_kept(address: str) -> bytes | None:
    try:
        return read_file(address)
    except NotFoundError:
        return None


def key_of(history: History, recipe: Recipe) -> str:
    """One name for the models of a history that are made alike."""
    import sklearn

    problem = history.problem
    facts = {
        "kept as": KEPT_AS,
        "scikit-learn": sklearn.__version__,
        "rows": digest_table(history.table),
        "cuts": history.cuts,
        "problem": problem.model_dump(
            include={"columns", "features", "target", "goal"}, mode="json"
        ),
        "loss": problem.drift.loss,
        "recipe": recipe.__dict__,
    }
    return digest_bytes(json.dumps(facts, sort_keys=True, default=str).encode())[:32]


def _place(key: str, window: int) -> str:
    return locate("replays", key, f"window-{window:04d}.npz")


def _pack(model: Renewed) -> bytes:
    arrays: dict[str, Any] = {"answers": model.answers.astype(np.float32)}
    if model.probe is not None:
        arrays |= {f"probe_{past}": p for past, p in model.probe.probabilities.items()}
    facts = {
        "window": model.window,
        "learnt": model.learnt,
        "threshold": model.threshold,
        "promise": model.promise.to_document(),
        "past": None if model.probe is None else model.probe.past,
        "baseline": None if model.baseline is None else model.baseline.to_document(),
    }
    buffer = streams.BytesIO()
    np.savez_compressed(buffer, facts=np.array(json.dumps(facts)), **arrays)
    return buffer.getvalue()


def _unpack(content: bytes) -> Renewed:
    with np.load(streams.BytesIO(content), allow_pickle=False) as arrays:
        facts = json.loads(str(arrays["facts"]))
        probed = {
            int(name.removeprefix("probe_")): arrays[name]
            for name in arrays.files
            if name.startswith("probe_")
        }
        return Renewed(
            window=int(facts["window"]),
            learnt=int(facts["learnt"]),
            answers=arrays["answers"].astype(np.float64),
            promise=read_promise(facts["promise"]),
            threshold=facts["threshold"],
            probe=Probe(probed, int(facts["past"])) if probed else None,
            baseline=read_baseline(facts["baseline"]),
        )
