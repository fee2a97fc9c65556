"""Lives through a stream look by look, with the code that production and replays decide by."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from driftline.dataset import encode_target
from driftline.evidence import Labels
from driftline.history import History, Renewed
from driftline.inspection import Inspector
from driftline.losses import row_losses
from driftline.policies import Careful
from driftline.probe import Probe, probe_renewal, rows_of_past
from driftline.recalibration import fit_baseline
from driftline.refusals import Refusals
from driftline.replay import Look, Replay
from driftline.standing import level_of_renewal
from driftline.verdicts import Window, leaves_rows, name_of
from tests.benchmarks.decisions.champions import RECIPE, Champion, renew_after
from tests.benchmarks.decisions.changes import Scenario
from tests.benchmarks.decisions.populations import Draw

HARDLY = 1e-300  # a level at which next to nothing is proved


@dataclass(frozen=True)
class Stream:
    """A champion's further life: how people are drawn, in windows of a size, at which strengths."""

    champion: Champion
    scenario: Scenario
    draw: Draw
    size: int
    strengths: tuple[float, ...]  # per window


Probing = Callable[[History, int], Probe]


@dataclass
class Models:
    """The champion and, made when they are asked for, what each window's probe answered."""

    history: History
    champion: Champion
    probing: Probing
    _made: dict[int, Renewed] = field(default_factory=dict)

    def __len__(self) -> int:
        """As many as there are windows."""
        return self.history.windows

    def __getitem__(self, window: int) -> Renewed:
        """The model of a window."""
        if window not in self._made:
            self._made[window] = self._make(window)
        return self._made[window]

    def _make(self, window: int) -> Renewed:
        history, promise = self.history, self.champion.promise
        end = history.before(window)
        if not window:
            later = self.champion.model.predict_proba(history.X[end:])
            baseline = fit_baseline(self.champion.out_of_fold)
            return Renewed(0, end, later, promise, None, None, baseline)
        probe = self.probing(history, window)
        newest = history.cuts[window + 1] - history.cuts[window]
        learnt = rows_of_past(end, probe.past, least=newest)
        return Renewed(window, learnt, np.zeros((0, 2)), promise, None, probe)


def probe_window(history: History, window: int) -> Probe:
    """What the champion's recipe answers on a window, as production asks it."""
    end = history.before(window)
    return probe_renewal(
        history.X[:end],
        history.y[:end],
        newest=end - history.cuts[window],
        classes=2,
        fit=RECIPE.fit,
        metric=history.problem.drift.loss,
    )


def draw_history(stream: Stream, rng: np.random.Generator) -> History:
    """The champion's reference and the stream's windows, as a history."""
    champion, problem = stream.champion, stream.champion.population.problem
    windows = [stream.draw(stream.size, strength, rng) for strength in stream.strengths]
    came = pd.concat([each.with_outcomes(problem, rng) for each in windows], ignore_index=True)
    first = len(champion.reference)
    return History(
        problem,
        pd.concat([champion.reference, came], ignore_index=True),
        np.concatenate([champion.X, *(each.X for each in windows)]),
        np.concatenate([champion.y, encode_target(came, problem)]),
        (0, *(first + stream.size * place for place in range(len(windows) + 1))),
    )


def live_labelled(
    stream: Stream, history: History, models: Models, rng: np.random.Generator
) -> tuple[tuple[str, ...], float | None]:
    """Look after each window, by the policy that a replay calls Driftline's.

    Returns the verdicts, of which a retraining is the last, and what the model that it would make
    truly saves on the newest window's people, as a share of the skill.
    What was found in the inputs is released before the next window; broken data nobody releases.
    """
    replay = Replay(history, models, stream.scenario.delay)
    release = "never" if stream.scenario.is_broken else "next"
    policy = Careful(replay, history.problem.drift, Inspector(replay), release=release)
    verdicts: list[str] = []
    for window in range(1, history.windows):
        labelled = window - replay.delay
        call = policy.decide(Look(window, 0, labelled if labelled > 0 else None))
        verdicts.append(call.verdict)
        if call.is_renewal:
            return tuple(verdicts), _saved(stream, replay, window, rng)
    return tuple(verdicts), None


def _saved(stream: Stream, replay: Replay, window: int, rng: np.random.Generator) -> float:
    """What the model that a retraining would make now truly saves."""
    champion, history = stream.champion, replay.history
    made = replay.models[window - replay.delay]
    end = history.before(made.window)
    recipe = champion.promise.recipe
    model = recipe.fit(history.X[end - made.learnt : end], history.y[end - made.learnt : end])
    people = stream.draw(3000, stream.strengths[window - 1], rng)
    gain = champion.losses(people) - champion.losses(people, model)
    return float(gain.mean() / champion.promise.skill)


def watch_levels(stream: Stream, replay: Replay) -> tuple[float, ...]:
    """Of each look the least `false_retrains` at which it calls for a retraining; 1 where at none.

    The looks are those of a life that nothing is retrained in, so that they hold for every level up
    to the first retraining at it. What `live_labelled` has fitted is not fitted again.
    """
    drift, promise = replay.history.problem.drift, stream.champion.promise
    reluctant = drift.model_copy(update={"false_retrains": HARDLY})
    release = "never" if stream.scenario.is_broken else "next"
    policy = Careful(replay, reluctant, Inspector(replay), release=release)
    levels: list[float] = []
    for window in range(1, replay.history.windows):
        before, labelled = policy.standing.looks, window - replay.delay
        call = policy.decide(Look(window, 0, labelled if labelled > 0 else None))
        if call.verdict == "retrain":  # proved at any level, and the standing begins anew
            return (*levels, 0.0)
        is_judged = policy.standing.looks > before and call.verdict != "quarantine"
        levels.append(level_of_renewal(policy.standing, promise, drift) if is_judged else 1.0)
    return tuple(levels)


def live_unlabelled(stream: Stream, history: History) -> tuple[str, ...]:
    """Look at the inputs of each window alone, with the parts of a monitoring run.

    What was found is released before the next window, so the same finding holds nothing up. Rows
    that are too few to be judged are filled up by those before, or wait for those of the next
    window, as they do in production.
    """
    from tasks.watch import cohorts, inputs, verdict_document
    from tasks.watch.monitoring import judge

    served, problem = stream.champion.serve(), history.problem
    reference = stream.champion.reference[list(problem.columns)]
    state: dict[str, Any] = {}
    known: set[str] = set()
    verdicts: list[str] = []
    waiting = reference.head(0)
    for place in range(1, history.windows):
        newest = history.table.iloc[history.rows_of(place)][list(problem.columns)]
        rows = pd.concat([waiting, newest], ignore_index=True)
        judged = history.table.iloc[history.before(0) : history.before(place) - len(rows)]
        seen = inputs.inspect_inputs.fn(
            reference, rows, problem, served, accepted=known, earlier=judged[list(problem.columns)]
        )
        window = Window(rows, rows.head(0), 1, 0, 0, 0, 0, state)
        standing = cohorts.standing_of(window)
        labels = Labels(window, stream.champion.promise, standing)
        decision, evidence = judge.fn(seen, labels, problem, served, journalled=0)
        state = verdict_document.as_document(
            decision, evidence, seen, labels, refusals=Refusals(), is_aside=False
        )
        verdicts.append(decision.verdict)
        is_left = leaves_rows(decision, evidence, problem.drift)
        waiting = rows if is_left else reference.head(0)
        known |= {name_of(fault) for fault in seen.faults}
    return tuple(verdicts)


def best_test(
    stream: Stream, history: History, windows: Sequence[int], rng: np.random.Generator
) -> float:
    """How sure one could be by these windows' labels who knew the renewed model: a z-value."""
    champion = stream.champion
    after = stream.strengths[windows[-1] - 1]
    model = renew_after(champion, stream.draw(len(champion.y), after, rng), rng)
    places = np.concatenate([np.arange(len(history.y))[history.rows_of(each)] for each in windows])
    X, y, metric = history.X[places], history.y[places], champion.promise.metric  # noqa: N806
    gain = row_losses(champion.model.predict_proba(X), y, metric)
    gain = gain - row_losses(model.predict_proba(X), y, metric)
    return float(gain.mean() / (gain.std(ddof=1) / np.sqrt(len(gain)) + 1e-12))
