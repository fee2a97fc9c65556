"""What a policy would have made of a history: who would have served, retrained and when.

A policy is asked after each window and says whether to train; what is trained has to pass the gate,
like anywhere else. All policies choose among the same models (`driftline.history`), so they differ
in their decisions alone. The policies themselves are in `driftline.policies`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftline.comparison import compare_pairwise
from driftline.drift_policy import DriftPolicy
from driftline.history import History, Renewed, score_probe, score_window
from driftline.losses import row_losses
from driftline.metrics import compute_metrics
from driftline.promise import SEARCHED_AGAIN
from driftline.promotion import Decision, check_gates, decide_promotion
from driftline.recalibration import Recalibration
from driftline.standing import Standing

Floats = NDArray[np.float64]
Kind = Literal["refit", "full"]


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

    def learn(self, decision: Decision) -> None:
        """Take notice of what became of a training."""


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

    def reference_of(self, champion: int) -> pd.DataFrame:
        """The rows that the model of a window learnt from."""
        end = self.history.before(champion)
        return self.history.table.iloc[end - self.models[champion].learnt : end]

    def rows_of(self, window: int) -> pd.DataFrame:
        """The rows of a window, with their outcomes."""
        return self.history.table.iloc[self.history.rows_of(window)]

    def losses(self, champion: int, window: int) -> Floats:
        """Loss per row of a window under the model that another, earlier window made."""
        key = champion, window
        if key not in self._losses:
            scored = score_window(self.history, self.models[champion], window)
            self._losses[key] = scored.losses(self.history.problem.drift.loss)
        return self._losses[key]

    def recalibrate(
        self, standing: Standing, champion: int, window: int, policy: DriftPolicy
    ) -> Recalibration | None:
        """What is known of a champion's probabilities with this window; None without a baseline.

        Outcomes of a window come together, so none of its rows is unlabelled.
        """
        model = self.models[champion]
        if model.baseline is None:
            return None
        rows, before = self.history.rows_of(window), self.history.before(champion)
        told = model.answers[rows.start - before : rows.stop - before]
        y = self.history.y[rows]
        return standing.recalibration.add(told, y, model.baseline, policy, unlabelled=0)

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
                policy.learn(decision)
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
