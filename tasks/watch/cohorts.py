"""What labels show of a champion: its losses, those of a renewed model, and of the one before."""

import numpy as np
import pandas as pd

from driftline.calibration import CalibrationWager, fit_calibrator
from driftline.dataset import encode_rows, encode_target
from driftline.design import design_of
from driftline.losses import NUMBER_LOSSES, LossName, row_losses
from driftline.probe import probe_renewal
from driftline.problem import Problem
from driftline.promise import DEFAULT_RECIPE, OutOfFold, Promise, make_promise
from driftline.recalibration import Recalibration, fit_baseline
from driftline.renewal import rows_before
from driftline.served import ServedModel, find_difference, score_served, takes_rows
from driftline.shadow import BRIER, Shadow, read_shadow
from driftline.standing import Standing, read_standing
from driftline.verdicts import Cohort, Window
from tasks.decorators import work
from tasks.progress import tell

CALIBRATION_ROWS = 20_000  # out of fold, that the estimate's calibration is learnt from
TOLERANCE = 0.2  # in log-odds: a smaller shift does an estimate no harm


@work(name="promise of the champion")
def promise_of(served: ServedModel, holdout: pd.DataFrame, problem: Problem) -> Promise | None:
    """What the model promised; by its holdout where it was made before promises were kept."""
    if served.promise is not None or not len(holdout):
        return served.promise
    truth = encode_target(holdout, problem)
    answers = OutOfFold(score_served(served, holdout, truth).probabilities, truth)
    use = dict.fromkeys(problem.columns, 1 / len(problem.columns))
    return make_promise(answers, metric=problem.drift.loss, recipe=DEFAULT_RECIPE, use=use)


def labels_wanted(problem: Problem, reference: pd.DataFrame) -> int:
    """How many labels are judged at once: enough that renewing on them is worth a fit."""
    return max(problem.drift.min_labels, len(reference) // 200)


def standing_of(window: Window) -> Standing:
    """How the champion stood at the last verdict; a new one takes over the price alone."""
    if "standing" in window.state:
        return read_standing(window.state["standing"])
    return Standing(price=float(window.state.get("price", 0.0)))


@work(name="judge labelled rows")
def judge_cohort(
    standing: Standing,
    snapshot: pd.DataFrame,
    earlier: pd.DataFrame,
    cohort: Cohort,
    problem: Problem,
    promise: Promise,
    *,
    out_of_fold: OutOfFold | None = None,
) -> Standing:
    """Add a cohort: the champion's losses, and those of a model renewed with what was known.

    Whether its probabilities still come true is asked where it kept its answers `out_of_fold`.
    Known are the rows of the champion's `snapshot` and the `earlier` labelled rows. Models are
    fitted with the weights of rows that have some; losses of labelled answers count alike.
    """
    known = rows_before(snapshot, earlier, cohort.table)
    table = pd.concat([known, cohort.table], ignore_index=True)
    y = encode_target(table, problem)
    tell(f"asking what a model renewed on {len(table)} rows would have answered")
    probe = probe_renewal(
        encode_rows(table, problem),
        y,
        newest=len(cohort.table),
        classes=problem.width,
        fit=promise.recipe.fit,
        metric=promise.metric,
        design=design_of(table, problem),
    )
    told = y[len(known) :]
    probed = {past: row_losses(p, told, promise.metric) for past, p in probe.probabilities.items()}
    losses = row_losses(cohort.probabilities, told, promise.metric)
    found = ask_relation(standing.recalibration, cohort, told, out_of_fold, problem)
    return standing.add(
        losses,
        probed,
        past=probe.past,
        promise=promise,
        policy=problem.drift,
        recalibration=found,
    )


def ask_relation(
    found: Recalibration,
    cohort: Cohort,
    y: np.ndarray,
    out_of_fold: OutOfFold | None,
    problem: Problem,
) -> Recalibration:
    """Bet on whether the probabilities come true as they did out of fold, where that is known.

    Rows that were drawn with weights say nothing of how often a class comes.
    """
    baseline = None if problem.weight else fit_baseline(out_of_fold)
    if baseline is None:
        return found
    answers, unlabelled = cohort.probabilities, cohort.unlabelled
    return found.add(answers, y, baseline, problem.drift, unlabelled=unlabelled)


@work(name="check calibration")
def check_cohort(
    wager: CalibrationWager, cohort: Cohort, served: ServedModel, problem: Problem
) -> CalibrationWager:
    """Add a cohort to the bets that the probabilities do not come true.

    They are those which an estimate without labels rests on: recalibrated by what the model erred
    out of fold. A number has none, and nothing is estimated of it.
    """
    if served.contract.number is not None:
        return wager
    answers, known = cohort.probabilities, served.out_of_fold
    if known is not None:
        rows = np.linspace(0, len(known.y) - 1, min(len(known.y), CALIBRATION_ROWS)).astype(int)
        answers = fit_calibrator(known.probabilities[rows], known.y[rows]).calibrate(answers)
    return wager.add(answers, encode_target(cohort.table, problem), tolerance=TOLERANCE)


def shadow_loss(served: ServedModel) -> tuple[LossName, float, str]:
    """What the two champions are compared by, what it mostly reaches, and its unit in words."""
    promise = served.promise
    if promise is None or promise.metric not in NUMBER_LOSSES:
        return "brier", 1.0, BRIER
    name = promise.metric.replace("_", " ")
    return promise.metric, promise.scale, f"{name} (in units of {promise.scale:.4g})"


@work(name="ask the champion before")
def judge_shadow(
    window: Window, served: ServedModel, old: ServedModel, cohort: Cohort, problem: Problem
) -> Shadow | None:
    """Add a cohort to what is known of the champion against the one before it.

    It ends after `shadow_labels`, or where the two do not answer the same records.
    """
    loss, scale, unit = shadow_loss(served)
    shadow = read_shadow(window.state.get("shadow"), old.version, unit=unit)
    is_over = 0 < shadow.rows >= problem.drift.shadow_labels
    if is_over or set(old.contract.field_names) != set(problem.columns):
        return None
    if find_difference(old, problem) or not takes_rows(old, cohort.table).all():
        return None
    y = encode_target(cohort.table, problem)
    theirs = score_served(old, cohort.table, y).probabilities
    ours = row_losses(cohort.probabilities, y, loss) / scale
    return shadow.add(ours, row_losses(theirs, y, loss) / scale)


@work(name="ask the other arm")
def ask_other(
    cohort: Cohort, other: ServedModel, problem: Problem, *, champion: ServedModel
) -> tuple[np.ndarray, np.ndarray]:
    """Losses per row of who answered a cohort, and of the other model of the trial.

    The champion says what they are compared by, and in which units.
    """
    loss, scale, _ = shadow_loss(champion)
    y = encode_target(cohort.table, problem)
    theirs = score_served(other, cohort.table, y).probabilities
    return (
        row_losses(cohort.probabilities, y, loss) / scale,
        row_losses(theirs, y, loss) / scale,
    )
