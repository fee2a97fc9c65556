"""What a monitoring run judges, gathered: a model, the rows it knows, what came in, labels."""

from dataclasses import dataclass, replace

import pandas as pd

from driftline.calibration import read_calibration
from driftline.digests import digest_columns
from driftline.evidence import Labels
from driftline.problem import Problem
from driftline.refusals import Refusals
from driftline.served import ServedModel
from driftline.shadow import Shadow
from driftline.verdicts import Cohort, Window
from flows.shared.aliases import champion_before, read_judged
from tasks.data.cleaning import Current, clean_cohort, clean_current, clean_labelled
from tasks.data.storage import read_snapshot
from tasks.log import parts, predictions, refusals, seasons
from tasks.models.registry import read_if_there
from tasks.progress import tell
from tasks.reading.joins import read_part
from tasks.watch import cohorts, inputs

UNJUDGED = (
    "labels of a source are not judged here, its inputs are; flows.score and flows.label bring "
    "them to the prediction log, and flows.replay judges them at once"
)


@dataclass(frozen=True)
class Case:
    """What is to be judged: a model, the rows it was trained on and not, and what came in.

    `known` is all of its snapshot; `places` are those of the current rows in what came in, where
    some were left out; `season` are rows of the season before, `earlier` those that came just
    before. `judged` names a source that is judged in place of the log; of a holdout nothing is
    kept.
    """

    served: ServedModel
    reference: pd.DataFrame
    holdout: pd.DataFrame
    known: pd.DataFrame
    current: pd.DataFrame
    places: tuple[int, ...]
    faults: tuple[str, ...]
    season: pd.DataFrame
    earlier: pd.DataFrame
    window: Window
    refused: Refusals
    judged: str | None
    is_holdout: bool


def gather(spec: Problem, *, source: str | None, model: str, holdout: bool) -> Case:
    """What this run judges; what retention lets go is gone before."""
    parts.forget_parts(spec)
    served = read_judged(spec, model)
    table, digests = read_snapshot(served.contract.snapshot)
    reference, unseen = inputs.split_reference(table, digests, served)
    window = predictions.read_window(spec, served.version)
    seen = int(window.state.get("last_refusal", 0))
    refused = refusals.read_refusals(spec.name, served.version, seen)
    is_first_day = window.last == 0 and not refused.records  # nothing has been asked yet
    holdout = source is None and (holdout or is_first_day)
    if source is not None or holdout:
        window, refused = window.judged_elsewhere(), Refusals(last=seen)
    raw = window.inputs if source is None else read_part(spec, source)
    if source is not None and spec.target.name in raw:
        tell(f"{spec.target.name}: {UNJUDGED}")
    if holdout:
        current = Current(unseen, (), tuple(range(len(unseen))))
    else:
        current = clean_came(raw, spec, served, source, like=unseen)
    return Case(
        served,
        reference,
        unseen,
        known=pd.concat([reference, unseen], ignore_index=True),
        current=current.table,
        places=current.places,
        faults=current.faults + inputs.fault_of_refusals(refused, window.rows, spec),
        season=clean_before(seasons.read_season(spec, window), spec, served, "the season before"),
        earlier=clean_before(
            seasons.read_earlier(spec, window, served.version), spec, served, "the rows before"
        ),
        window=window,
        refused=refused,
        judged=None if source is None else f"{source}:{digest_columns(current.table)}",
        is_holdout=holdout,
    )


def clean_came(
    raw: pd.DataFrame, spec: Problem, served: ServedModel, source: str | None, *, like: pd.DataFrame
) -> Current:
    """What came in, cleaned; a log in which nothing came has the columns of `like` and no row."""
    if source is None and not len(raw):
        return Current(like.head(0), (), ())
    found = clean_current(raw, spec, served.contract, source=source or "the prediction log")
    return replace(found, places=tuple(raw.index[list(found.places)].tolist()))


def clean_before(raw: pd.DataFrame, spec: Problem, served: ServedModel, what: str) -> pd.DataFrame:
    """Rows of the log to compare with or to fill up with, cleaned, where there are some."""
    return clean_current(raw, spec, served.contract, source=what).table if len(raw) else raw


def judge_labels(spec: Problem, case: Case, *, is_broken: bool) -> Labels:
    """How the champion stands by its labels; they wait while they are few or the data is broken."""
    window, served = case.window, case.served
    promise = cohorts.promise_of(served, case.holdout, spec)
    standing, count = cohorts.standing_of(window), len(window.labelled)
    calibration = read_calibration(window.state.get("calibration"))
    waits = Labels(
        window.with_labels_waiting(),
        promise,
        standing,
        waiting=count,
        calibration=calibration,
        doubted=calibration,
    )
    if is_broken or promise is None or not count:
        return waits
    cohort = clean_cohort(window.labelled, spec, answered=window.answered)
    doubted = cohorts.check_cohort(calibration, cohort, served, spec)
    if count < cohorts.labels_wanted(spec, case.reference):
        return replace(waits, doubted=doubted)
    earlier = clean_labelled(predictions.read_labelled(spec), spec)
    return Labels(
        window,
        promise,
        cohorts.judge_cohort(
            standing,
            case.known,
            earlier,
            cohort,
            spec,
            promise,
            out_of_fold=served.out_of_fold,
        ),
        shadow=judge_shadow(spec, case, cohort),
        calibration=doubted,
        doubted=doubted,
        has_cohort=True,
    )


def judge_shadow(spec: Problem, case: Case, cohort: Cohort) -> Shadow | None:
    """How the champion before would have answered, while that is asked."""
    before = champion_before(spec.name, case.served.version)
    old = None if before is None else read_if_there(spec, before)
    return (
        None if old is None else cohorts.judge_shadow(case.window, case.served, old, cohort, spec)
    )
