"""What is rung where a change of the model waits for a person, over one look or several."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from driftline.closing import close_look
from driftline.evidence import Labels, weigh
from driftline.findings import Inputs
from driftline.problem import Problem
from driftline.promise import DEFAULT_RECIPE, Promise
from driftline.refusals import Refusals
from driftline.shadow import read_shadow
from driftline.standing import Standing, read_standing
from driftline.verdicts import Window, decide_verdict
from flows import monitor
from tasks.people.events import DRIFT_NEED_LABELS, DRIFT_RETRAIN, MODEL_WAITING
from tasks.watch.verdict_document import as_document
from tests.support import make_problem, tiny_rows

BY_PERSON = make_problem(changes={"train": "person", "roll_back": "person"})
PROMISE = Promise("log_loss", 0.3, 0.4, 1000, 0.6, DEFAULT_RECIPE, {"age": 1.0})
NO_ROWS = tiny_rows(3).head(0)


@dataclass
class Watch:
    """The looks at one champion: each goes on from the document that the one before left.

    `journalled` counts the journal's rows.
    """

    problem: Problem
    state: Mapping[str, Any] = field(default_factory=dict)
    journalled: int = 0
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def look(self, *, worse_by: float = 0.0, harmed_by: float = 0.0, before: str = "1") -> None:
        """Judge 300 labels on which the champion does worse than the one before it, or harm."""
        drawn = self.rng.normal(0, 0.05, 300)
        shadow = read_shadow(self.state.get("shadow"), before)
        known = self.state.get("standing")
        standing = read_standing(known) if known else Standing()
        losses = 0.3 + harmed_by + drawn
        probed = {1: np.full(300, 0.3)}
        policy = self.problem.drift
        labels = Labels(
            Window(NO_ROWS, NO_ROWS, 1, 0, 0, seen=0, seen_label=0, state=self.state),
            PROMISE,
            standing.add(losses, probed, past=1, promise=PROMISE, policy=policy),
            shadow=shadow.add(0.3 + worse_by + drawn, np.full(300, 0.3)),
            has_cohort=True,
        )
        self._judge(Inputs(500), labels)

    def look_at_inputs(self, *, harm: float) -> None:
        """A look without labels, at inputs that are estimated to cost so much of the skill."""
        window = Window(NO_ROWS, NO_ROWS, 1, 0, 0, seen=0, seen_label=0, state=self.state)
        self._judge(Inputs(500, estimated=harm), Labels(window, PROMISE, Standing()))

    def _judge(self, seen: Inputs, labels: Labels) -> None:
        policy = self.problem.drift
        evidence = weigh(seen, labels, policy, champion="2", journalled=self.journalled)
        decision = decide_verdict(evidence, policy)
        evidence = close_look(decision, evidence, policy)
        monitor.let_know(self.problem, decision, evidence, {})
        self.state = as_document(
            decision, evidence, seen, labels, refusals=Refusals(), is_aside=False
        )


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The events that were rung."""
    heard: list[str] = []
    monkeypatch.setattr(monitor, "ring", lambda event, *_: heard.append(event))
    return heard


def test_a_rollback_that_waits_is_told_once_and_again_when_it_has_grown_by_half(
    rung: list[str],
) -> None:
    watch = Watch(BY_PERSON)

    for _ in range(3):
        watch.look(worse_by=0.2)
    told = list(rung)
    for _ in range(3):
        watch.look(worse_by=0.6)

    assert told == [MODEL_WAITING]
    assert rung == [MODEL_WAITING] * 2


def test_a_rollback_that_has_passed_is_told_when_it_comes_again(rung: list[str]) -> None:
    watch = Watch(BY_PERSON)

    watch.look(worse_by=0.2)
    watch.look(worse_by=-0.6)
    watch.look(worse_by=0.6)
    watch.look(worse_by=0.1)

    assert rung == [MODEL_WAITING] * 2


def test_against_another_champion_before_it_is_another_proposal(rung: list[str]) -> None:
    watch = Watch(BY_PERSON)

    watch.look(worse_by=0.2)
    watch.look(worse_by=0.2, before="3")

    assert rung == [MODEL_WAITING] * 2


def test_labels_that_are_asked_for_are_told_once_and_again_when_the_suspicion_has_grown(
    rung: list[str],
) -> None:
    watch = Watch(make_problem())

    for _ in range(3):
        watch.look_at_inputs(harm=0.4)
    told = list(rung)
    for _ in range(2):
        watch.look_at_inputs(harm=0.8)

    assert told == [DRIFT_NEED_LABELS]
    assert rung == [DRIFT_NEED_LABELS] * 2


@pytest.mark.parametrize(
    ("problem", "event"), [(BY_PERSON, MODEL_WAITING), (make_problem(), DRIFT_RETRAIN)]
)
def test_a_training_that_a_person_decides_on_is_not_told_as_one_that_starts(
    rung: list[str], problem: Problem, event: str
) -> None:
    watch = Watch(problem)

    watch.look(harmed_by=0.6)

    assert rung == [event]


def test_a_training_that_waits_is_told_once_and_again_when_the_harm_has_grown_by_half(
    rung: list[str],
) -> None:
    watch, verdicts = Watch(BY_PERSON), []

    for _ in range(8):
        watch.look(harmed_by=0.3)
        verdicts.append(watch.state["verdict"])
    told = list(rung)
    for _ in range(8):
        watch.look(harmed_by=0.7)

    assert verdicts.count("retrain") > 1
    assert told == [MODEL_WAITING]
    assert rung == [MODEL_WAITING] * 2


def test_once_a_person_has_trained_the_next_call_for_a_training_is_told_anew(
    rung: list[str],
) -> None:
    watch = Watch(BY_PERSON)

    for _ in range(4):
        watch.look(harmed_by=0.3)
    told = list(rung)
    watch.journalled = 1  # the challenger that came to nothing
    for _ in range(8):
        watch.look(harmed_by=0.3)

    assert told == [MODEL_WAITING]
    assert rung == [MODEL_WAITING] * 2


def test_harm_that_has_passed_calls_for_a_training_anew_when_it_comes_back(
    rung: list[str],
) -> None:
    watch = Watch(BY_PERSON)

    watch.look(harmed_by=0.3)
    watch.look(harmed_by=-0.1)
    for _ in range(8):
        watch.look(harmed_by=0.3)

    assert rung == [MODEL_WAITING] * 2


def test_trainings_that_start_by_themselves_are_told_each(rung: list[str]) -> None:
    watch, verdicts = Watch(make_problem()), []

    for _ in range(8):
        watch.look(harmed_by=0.3)
        verdicts.append(watch.state["verdict"])

    assert rung == [DRIFT_RETRAIN] * verdicts.count("retrain")
    assert len(rung) > 1
