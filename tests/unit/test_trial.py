"""A trial ends by proof or by its limits, and hardly ever falsely, however often one looks."""

import json
from datetime import datetime, timedelta

import numpy as np
import pytest

from driftline.trial import Evidence, Limits, Losses, Trial, find_obstacle, read_evidence

LEVEL = 0.05
START = datetime(2026, 1, 1)  # noqa: DTZ001 - as the database keeps it
SHARE = 0.2


def day(
    rng: np.random.Generator, rows: int, saved: float, share: float = SHARE
) -> tuple[Losses, Losses]:
    """A day's labels of both arms: Brier losses of two models that mostly agree on a row."""
    arms = []
    for count in (rows - int(rows * share), int(rows * share)):
        common = rng.beta(0.5, 2, count)
        champion, contender = (np.clip(common + rng.normal(0, 0.1, count), 0, 1) for _ in "ab")
        arms.append(Losses(champion, contender - saved))
    return arms[0], arms[1]


def live(seed: int, saved: float, days: int, rows: int = 30) -> str | None:
    """How a trial that is looked at each day has ended."""
    rng, evidence = np.random.default_rng(seed), Evidence()
    for _ in range(days):
        evidence = evidence.add(*day(rng, rows, saved), last_label=0)
        outcome = evidence.judge(LEVEL, least_rows=50, unit="Brier score")
        if outcome is not None:
            return outcome.verdict
    return None


def count_false_endings(trials: int, days: int) -> int:
    return sum(live(seed, 0.0, days) is not None for seed in range(trials))


@pytest.mark.slow
def test_equal_models_are_hardly_ever_told_apart_though_looked_at_each_day() -> None:
    """Of 60 trials the level allows 3; a plain test of the mean at each look ends 24 of them."""
    assert count_false_endings(60, 40) <= 3


@pytest.mark.slow
def test_false_endings_stay_below_the_level() -> None:
    assert count_false_endings(400, 60) <= 400 * LEVEL


@pytest.mark.parametrize(("saved", "verdict"), [(0.04, "better"), (-0.04, "worse")])
def test_a_real_difference_is_proved(saved: float, verdict: str) -> None:
    assert [live(seed, saved, 40) for seed in range(10)] == [verdict] * 10


def test_a_few_rows_end_what_does_harm_and_promote_nobody() -> None:
    much, none = np.full(20, 0.9), np.zeros(20)
    empty = Losses(none[:0], none[:0])
    rule = {"least_rows": 50, "unit": "Brier score"}

    better = Evidence().add(Losses(much, none), empty, last_label=20)
    worse = Evidence().add(Losses(none, much), empty, last_label=20)

    harmful = worse.judge(LEVEL, **rule)  # type: ignore[arg-type]
    assert better.judge(LEVEL, **rule) is None  # type: ignore[arg-type]
    assert harmful is not None
    assert harmful.verdict == "worse"
    assert "-0.9000 Brier score saved per answer on the same 20 labelled rows" in harmful.reason


def test_each_arm_is_told_of_by_its_own_rows_and_proved_by_all() -> None:
    of_champion = Losses(np.full(6, 0.2), np.full(6, 0.9))
    of_contender = Losses(np.full(2, 0.8), np.full(2, 0.4))

    evidence = Evidence().add(of_champion, of_contender, last_label=8)

    assert (evidence.champion.mean, evidence.contender.mean) == pytest.approx((0.2, 0.4))
    assert evidence.rows == 8
    assert evidence.saved == pytest.approx((6 * -0.7 + 2 * 0.4) / 8)


def test_what_was_kept_goes_on_as_if_nothing_had_happened_in_between() -> None:
    rng = np.random.default_rng(3)
    first, second = day(rng, 50, 0.02), day(rng, 50, 0.02)
    kept = Evidence().add(*first, last_label=50)

    read = read_evidence(json.loads(json.dumps(kept.to_document())))

    assert read.add(*second, last_label=100) == kept.add(*second, last_label=100)
    assert read_evidence({}) == Evidence()


def trial(limits: Limits, evidence: Evidence) -> Trial:
    return Trial("k", "8", "7", 0.2, "5a", "", limits, 0, START, evidence)


@pytest.mark.parametrize(
    ("limits", "days", "told"),
    [
        (Limits(days=7), 6.9, None),
        (Limits(days=7), 7.0, "reached its limit of 7 days without a proof: "),
        (Limits(labels=11), 99, None),
        (Limits(labels=10), 1, "reached its limit of 10 labels without a proof: "),
        (Limits(), 999, None),
    ],
)
def test_a_limit_ends_what_is_not_proved(limits: Limits, days: float, told: str | None) -> None:
    equal = Losses(np.full(10, 0.2), np.full(10, 0.2))
    nothing = Losses(np.empty(0), np.empty(0))
    evidence = Evidence().add(equal, nothing, last_label=10)

    outcome = trial(limits, evidence).end(
        START + timedelta(days=days), LEVEL, least_rows=50, unit="Brier score"
    )

    assert (outcome and outcome.verdict) == (told and "undecided")
    assert (told or "") in (outcome.reason if outcome else "")


@pytest.mark.parametrize(
    ("verdict", "is_overtaken", "told"),
    [
        ("promoted", True, None),
        ("waiting", False, None),
        ("need_labels", False, None),
        ("waiting", True, "the champion has changed since"),
        ("rejected", False, "its gate said 'rejected' (recall is 0.5)"),
        ("", False, "no gate has judged it"),
    ],
)
def test_only_what_nothing_stands_against_is_given_to_people(
    verdict: str, is_overtaken: bool, told: str | None
) -> None:
    why = find_obstacle(verdict, "recall is 0.5", is_overtaken=is_overtaken)

    assert (why is None) == (told is None)
    assert (told or "") in (why or "")
