"""What each policy would have made of a history: who would have served, retrained and when.

A policy is asked after each window and says whether to train; what is trained has to pass the gate,
like anywhere else. All policies choose among the same models (`driftline.history`), so they differ in
their decisions alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from driftline.comparison import compare_pairwise
from driftline.history import History, Renewed, score_probe, score_window
from driftline.losses import row_losses
from driftline.metrics import compute_metrics
from driftline.promotion import Decision, check_gates, decide_promotion
from driftline.standing import Standing

Floats = NDArray[np.float64]
Kind = Literal["refit", "full"]
SEARCHED_AGAIN = 2.0  # a search is done again when the rows have doubled since the last one


@dataclass(frozen=True)
class Look:
    """What a policy sees after a window: who serves, and the newest window with outcomes.

    `labelled` is the window whose outcomes are the newest known, or None while there are none that
    the champion has not learnt from.
    """

    window: int
    champion: int
    labelled: int | None


@dataclass(frozen=True)
class Call:
    """What a policy concludes: a verdict with its reason, and whether to train."""

    verdict: str
    reason: str = ""
    is_renewal: bool = False


class Policy(Protocol):
    """Decides after each window; keeps its own state."""

    name: str
    is_gated: bool
    may_refit: bool  # else each training searches and compares anew

    def decide(self, look: Look) -> Call:
        """What this window calls for."""

    def learn(self, decision: Decision, champion: int) -> None:
        """Take notice of what became of a training, and who serves now."""


@dataclass(frozen=True)
class Step:
    """One window under a policy."""

    window: int
    champion: int
    loss: float
    rows: int
    verdict: str
    reason: str
    trained: Kind | None = None
    promoted: bool = False


@dataclass(frozen=True)
class Course:
    """A policy's whole run, and its figures."""

    policy: str
    steps: tuple[Step, ...]

    @property
    def loss(self) -> float:
        """Mean loss per window, each window counting alike."""
        return float(np.mean([step.loss for step in self.steps]))

    def count(self, kind: Kind) -> int:
        """How many trainings of a kind there were."""
        return sum(step.trained == kind for step in self.steps)

    @property
    def promotions(self) -> int:
        """How many of them led to a new champion."""
        return sum(step.promoted for step in self.steps)


@dataclass
class Replay:
    """The models of a history, and what policies have in common: losses, gates, promotions."""

    history: History
    models: Sequence[Renewed]
    delay: int = 0
    _losses: dict[tuple[int, int], Floats] = field(default_factory=dict)
    _gated: dict[tuple[int, int, bool], Decision] = field(default_factory=dict)

    def losses(self, champion: int, window: int) -> Floats:
        """Loss per row of a window under the model that another, earlier window made."""
        key = champion, window
        if key not in self._losses:
            scored = score_window(self.history, self.models[champion], window)
            metric = self.history.problem.drift.loss
            self._losses[key] = row_losses(
                scored.probabilities, scored.y, metric, predicted=scored.predicted
            )
        return self._losses[key]

    def probed(self, window: int) -> dict[int, Floats]:
        """Losses of the probe on a window's rows, per past."""
        probe = self.models[window].probe
        assert probe is not None  # noqa: S101 - the first window is not judged
        y = self.history.y[self.history.rows_of(window)]
        metric = self.history.problem.drift.loss
        return {past: row_losses(p, y, metric) for past, p in probe.probabilities.items()}

    def gate(self, challenger: int, champion: int, reason: str | None) -> Decision:
        """Whether the model of a window takes over, judged on that window's rows.

        The problem's bounds on test figures hold; those on cross-validated ones are left out, as
        nothing is cross-validated here.
        """
        key = challenger, champion, reason is not None
        if key not in self._gated:
            policy = self.history.problem.judged_by
            own = score_probe(self.history, self.models[challenger])
            other = score_window(self.history, self.models[champion], challenger)
            gain = compare_pairwise(own, other, policy, against="the champion", seed=0)
            gates = [g for g in self.history.problem.gates if g.metric.startswith("test_")]
            figures = {f"test_{name}": value for name, value in compute_metrics(own).items()}
            self._gated[key] = decide_promotion(
                check_gates(gates, figures), [gain], policy, reason_to_renew=reason
            )
        return self._gated[key]

    def run(self, policy: Policy) -> Course:
        """Live through the history under a policy."""
        champion, searched, steps = 0, self.models[0].learnt, []
        for window in range(1, self.history.windows):
            labelled = window - self.delay
            look = Look(window, champion, labelled if labelled > champion else None)
            losses = self.losses(champion, window)
            call = policy.decide(look)
            step = Step(
                window, champion, float(losses.mean()), len(losses), call.verdict, call.reason
            )
            if call.is_renewal and look.labelled is not None:
                rows = self.models[labelled].learnt
                is_searched = not policy.may_refit or rows >= SEARCHED_AGAIN * searched
                kind: Kind = "full" if is_searched else "refit"
                searched = rows if kind == "full" else searched
                decision = self._judge(policy, labelled, champion, call)
                champion = labelled if decision.is_promoted else champion
                policy.learn(decision, champion)
                step = replace(step, trained=kind, promoted=decision.is_promoted)
            steps.append(step)
        return Course(policy.name, tuple(steps))

    def _judge(self, policy: Policy, challenger: int, champion: int, call: Call) -> Decision:
        if not policy.is_gated:
            return Decision("promoted", ("no gate",))
        return self.gate(challenger, champion, call.reason or None)

    def loss_table(self) -> Floats:
        """Mean loss (model, window) of every model on every later window; nan elsewhere."""
        count = self.history.windows
        table = np.full((count, count), np.nan)
        for model in range(count - 1):
            for window in range(model + 1, count):
                table[model, window] = self.losses(model, window).mean()
        return table


@dataclass
class Fixed:
    """Retrain after every `every`-th window; never where it is 0."""

    name: str
    every: int
    is_gated: bool = True
    may_refit: bool = False

    def decide(self, look: Look) -> Call:
        """By the calendar alone."""
        is_due = self.every > 0 and look.window % self.every == 0
        return Call("retrain" if is_due else "ok", is_renewal=is_due)

    def learn(self, decision: Decision, champion: int) -> None:
        """A calendar learns nothing."""


@dataclass
class Flagged:
    """Retrain whenever a detector flags (champion, window)."""

    name: str
    flag: Callable[[int, int], bool]
    is_gated: bool = True
    may_refit: bool = False

    def decide(self, look: Look) -> Call:
        """By the flag alone."""
        is_due = look.labelled is not None and self.flag(look.champion, look.window)
        return Call("retrain" if is_due else "ok", is_renewal=is_due)

    def learn(self, decision: Decision, champion: int) -> None:
        """A flag learns nothing."""


@dataclass
class Careful:
    """Driftline's own policy: the standing of the champion, judged as in production.

    `judge` makes a verdict of a window's inputs and the standing.
    """

    replay: Replay
    judge: Callable[[Look, Standing], Call]
    name: str = "driftline"
    is_gated: bool = True
    may_refit: bool = True
    standing: Standing = field(default_factory=Standing)

    def decide(self, look: Look) -> Call:
        """Add the newest cohort of labels, then judge."""
        policy = self.replay.history.problem.drift
        if look.labelled is not None:
            model = self.replay.models[look.labelled]
            assert model.probe is not None  # noqa: S101 - the first window is not judged
            self.standing = self.standing.add(
                self.replay.losses(look.champion, look.labelled),
                self.replay.probed(look.labelled),
                past=model.probe.past,
                promise=self.replay.models[look.champion].promise,
                policy=policy,
            )
        call = self.judge(look, self.standing)
        if look.labelled is not None:
            self.standing = self.standing.after(is_renewal_due=call.is_renewal, policy=policy)
        return call

    def learn(self, decision: Decision, champion: int) -> None:
        """A new champion begins anew; the price of a renewal goes on."""
        if decision.is_promoted:
            self.standing = Standing(price=self.standing.price)


def best_with(table: Floats, most: int) -> list[tuple[float, tuple[int, ...]]]:
    """For each number of retrainings up to `most`: the least mean loss, and after which windows.

    By dynamic programming over who serves in a window, with hindsight: no policy can do better with
    as many retrainings among these models.
    """
    count = len(table)
    ahead: dict[tuple[int, int], tuple[float, tuple[int, ...]]] = {}
    for window in range(count - 1, 0, -1):
        for champion in range(window):
            for left in range(most + 1):
                ahead[champion * count + window, left] = _best_from(
                    table, ahead, champion, window, left
                )
    first = [ahead[1, left] for left in range(most + 1)]
    return [(total / (count - 1), at) for total, at in first]


def _best_from(
    table: Floats,
    ahead: dict[tuple[int, int], tuple[float, tuple[int, ...]]],
    champion: int,
    window: int,
    left: int,
) -> tuple[float, tuple[int, ...]]:
    count, now = len(table), float(table[champion, window])
    if window + 1 == count:
        return now, ()
    stay, at = ahead[champion * count + window + 1, left]
    best = now + stay, at
    if left:
        change, after = ahead[window * count + window + 1, left - 1]
        if now + change < best[0]:
            best = now + change, (window, *after)
    return best
