"""What came in, against what the champion learnt from: faults, changes, rows to label."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import pandas as pd

from driftline.dataset import encode_by
from driftline.digests import number_repeats
from driftline.drift import ColumnChange, measure_answers, measure_changes
from driftline.estimation import EstimatedMetric, estimate_performance, fit_estimator
from driftline.export import score_onnx
from driftline.faults import find_faults
from driftline.findings import Inputs
from driftline.informative import choose_rows_to_label
from driftline.joint import JointChange, measure_joint
from driftline.lately import fill_up
from driftline.losses import NUMBER_LOSSES
from driftline.problem import Problem
from driftline.refusals import Refusals
from driftline.relations import measure_relations
from driftline.served import ServedModel
from driftline.verdicts import name_of
from tasks.decorators import work
from tasks.progress import tell

MOST_LABELS_ASKED = 50
MOST_PLACED = 10_000  # rows among which those to label are chosen
LEAST_ESTIMATED = 100
MOST_SAMPLED = 5_000  # rows a side that classifiers look at; findings say so


@work(name="inspect inputs")
def inspect_inputs(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    problem: Problem,
    served: ServedModel,
    *,
    faults: Sequence[str] = (),
    accepted: Collection[str] = (),
    season: pd.DataFrame | None = None,
    earlier: pd.DataFrame | None = None,
    seed: int = 0,
) -> Inputs:
    """Faults and changes of the inputs, and what answers to them are likely to lose.

    `faults` are known already; findings that a person has `accepted` are told and no faults.
    Changes are measured against rows of the `season` before where there are enough of them, and
    where the current rows are few, of these and the latest `earlier` ones together.
    Columns are judged by all rows, relations and rows as wholes by so many as they say.
    """
    if not len(current):
        return Inputs(0, tuple(faults))
    if season is not None and len(season) < problem.drift.min_rows:
        season = None
    if season is not None:
        tell(f"changes are measured against {len(season)} rows of the season before")
    alike = reference if season is None else season
    found = (*faults, *find_faults(reference, current, problem))
    new = len(current)
    if earlier is not None:
        current = fill_up(current, earlier, problem.drift)
    if len(current) > new:
        tell(f"{new} rows are judged together with {len(current) - new} of just before them")
    seen = Inputs(
        rows=len(current),
        faults=tuple(text for text in found if name_of(text) not in accepted),
        known=tuple(text for text in found if name_of(text) in accepted),
        changes=tuple(measure_changes(alike, current, problem, seed=seed)),
    )
    if len(current) < problem.drift.min_rows:
        return seen
    sample = _Sample(reference, current, problem, served, season, seed=seed)
    return replace(
        seen,
        relations=tuple(measure_relations(alike, current, problem)),
        joint=sample.measure_joint(),
        answers=sample.measure_answers(),
        sampled=len(sample.now),
        answered="prediction" if problem.predicts_number else "probability",
        estimated=sample.estimate_rise(),
    )


class _Sample:
    """Some rows of either side as the model sees them, and what is made of them."""

    def __init__(
        self,
        reference: pd.DataFrame,
        current: pd.DataFrame,
        problem: Problem,
        served: ServedModel,
        season: pd.DataFrame | None,
        *,
        seed: int,
    ) -> None:
        """Draw the rows, encode and answer them."""
        rng = np.random.default_rng(seed)
        self.problem, self.served, self.seed = problem, served, seed
        self.then, self.now = _some(len(reference), rng), _some(len(current), rng)
        contract = served.contract  # the champion's, whatever the problem file says by now
        self.before = encode_by(contract, reference.iloc[self.then])
        self.after = encode_by(contract, current.iloc[self.now])
        self.answers = score_onnx(served.onnx, self.after)
        self.season = None
        if season is not None:
            self.season = encode_by(contract, season.iloc[_some(len(season), rng)])
        self.is_aligned = served.out_of_fold is not None and len(served.out_of_fold.y) == len(
            reference
        )

    def measure_joint(self) -> JointChange | None:
        """Whether rows have changed as wholes, since the season before where there is one."""
        contract, policy = self.served.contract, self.problem.drift
        return measure_joint(
            self.before if self.season is None else self.season,
            self.after,
            contract.owners,
            effect=policy.joint_effect,
            false_alarms=policy.false_alarms,
            seed=self.seed,
        )

    def measure_answers(self) -> tuple[ColumnChange, ...]:
        """How the champion's answers have changed: against those out of fold, or to the season."""
        known = self.served.out_of_fold
        if self.season is not None:
            then = score_onnx(self.served.onnx, self.season)
        elif known is not None:
            then = known.probabilities
        else:
            return ()
        changes = measure_answers(
            then,
            self.answers,
            self.problem.classes or (self.problem.target.name,),
            self.problem.drift,
            seed=self.seed,
        )
        return tuple(changes)

    def estimate_rise(self) -> float | None:
        """By how much of its skill the answers are estimated to be worse, from below.

        Of a number nothing is estimated: it has no probability that could come true.
        """
        promise, known = self.served.promise, self.served.out_of_fold
        if promise is None or promise.metric in NUMBER_LOSSES:
            return None
        if known is None or not (self.is_aligned and promise.has_skill):
            return None
        if len(self.now) < LEAST_ESTIMATED:
            return None
        estimate = estimate_performance(
            fit_estimator(known.probabilities[self.then], known.y[self.then]),
            self.answers,
            _filled(self.after, self.before),
            _filled(self.before, self.before),
            metric=cast("EstimatedMetric", promise.metric),
            seed=self.seed,
        )
        return (estimate.low - promise.loss - 2 * promise.error) / promise.skill


def _some(rows: int, rng: np.random.Generator) -> np.ndarray:
    return np.sort(rng.permutation(rows)[:MOST_SAMPLED])


def _filled(X: np.ndarray, reference: np.ndarray) -> np.ndarray:  # noqa: N803
    """Missing elements as the reference's median: what compares rows here takes no gaps."""
    with np.errstate(all="ignore"):
        middle = np.nan_to_num(np.nanmedian(reference, axis=0))
    return np.where(np.isnan(X), middle, X)


def fault_of_refusals(refusals: Refusals, answered: int, problem: Problem) -> tuple[str, ...]:
    """A sentence where a service refuses so many records that the data must be broken."""
    share = refusals.share(answered)
    asked = refusals.records + answered
    if asked < problem.drift.min_rows or share <= max(
        problem.max_quarantined_share, problem.drift.missing_effect
    ):
        return ()
    most = sorted(refusals.by_fault.items(), key=lambda item: -item[1])[:3]
    named = ", ".join(f"{field or 'record'} {kind} ({count})" for (field, kind), count in most)
    return (f"the service refused {refusals.records} of {asked} records ({share:.0%}): {named}",)


@work(name="choose rows to label")
def rows_to_label(reference: pd.DataFrame, current: pd.DataFrame, served: ServedModel) -> list[int]:
    """Which rows of a window to label first, as places in it; the most informative first.

    Of a large window they are chosen among `MOST_PLACED`, drawn evenly.
    """
    rng = np.random.default_rng(0)
    places = np.sort(rng.permutation(len(current))[:MOST_PLACED])
    if len(places) < len(current):
        tell(f"rows to label first are chosen among {len(places)} of {len(current)}, drawn evenly")
    before = encode_by(served.contract, reference.iloc[_some(len(reference), rng)])
    after = encode_by(served.contract, current.iloc[places])
    chosen = choose_rows_to_label(
        score_onnx(served.onnx, after),
        _filled(before, before),
        _filled(after, before),
        count=MOST_LABELS_ASKED,
        seed=0,
    )
    return [int(places[place]) for place in chosen]


def split_reference(
    table: pd.DataFrame, digests: list[str], served: ServedModel
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of a snapshot that the model was trained on, and the others."""
    is_reference = pd.Series(number_repeats(digests)).isin(served.train_digests).to_numpy()
    reference = table.loc[is_reference].reset_index(drop=True)
    return reference, table.loc[~is_reference].reset_index(drop=True)
