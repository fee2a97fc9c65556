import numpy as np

from driftline.drift import ColumnChange
from driftline.problem import DriftPolicy
from driftline.verdicts import Evidence, Harm, decide_verdict, measure_harm, verdict_key

POLICY = DriftPolicy()


def change(effect: float) -> ColumnChange:
    return ColumnChange("age", "Wasserstein / sd", effect, 0.3, 0.1, 0.0, 0.1)


def harm(now: float, *, labels: int = 200, low: float = 0.01) -> Harm:
    return Harm(labels=labels, before=0.1, now=now, low=low, high=now)


def verdict(
    *, faults: tuple[str, ...] = (), effect: float = 0.0, harmed: Harm | None = None
) -> str:
    evidence = Evidence(rows=500, faults=faults, changes=(change(effect),), harm=harmed)
    return decide_verdict(evidence, POLICY).verdict


def test_broken_data_is_never_trained_on_however_great_the_harm() -> None:
    assert verdict(faults=("age: stuck at one value",), harmed=harm(0.9)) == "quarantine"


def test_harm_that_labels_prove_calls_for_retraining() -> None:
    assert verdict(harmed=harm(0.3)) == "retrain"


def test_harm_within_noise_does_not() -> None:
    assert verdict(harmed=harm(0.3, low=-0.01)) == "ok"


def test_a_proved_but_trifling_rise_does_not() -> None:
    assert verdict(harmed=harm(0.1 + POLICY.harm / 2)) == "ok"


def test_a_few_labels_prove_nothing() -> None:
    assert verdict(harmed=harm(0.3, labels=POLICY.min_labels - 1)) == "ok"


def test_changed_inputs_without_labels_call_for_labels() -> None:
    assert verdict(effect=1.0) == "need_labels"


def test_changed_inputs_that_do_no_harm_are_watched() -> None:
    assert verdict(effect=1.0, harmed=harm(0.1, low=-0.02)) == "watch"


def test_nothing_new_is_ok() -> None:
    evidence = Evidence(rows=0, faults=(), changes=(), harm=None)

    assert decide_verdict(evidence, POLICY).verdict == "ok"


def test_equal_losses_show_no_harm_and_a_real_rise_does() -> None:
    rng = np.random.default_rng(0)
    before = rng.uniform(0, 0.2, 400)

    same = measure_harm(before, rng.uniform(0, 0.2, 400), seed=0)
    worse = measure_harm(before, rng.uniform(0.1, 0.4, 400), seed=0)

    assert same is not None
    assert worse is not None
    assert same.low < 0 < same.high
    assert worse.low > 0.1


def test_the_same_evidence_has_one_name() -> None:
    one = verdict_key("p", "1", first=1, last=9, last_label=3)

    assert one == verdict_key("p", "1", first=1, last=9, last_label=3)
    assert one != verdict_key("p", "1", first=1, last=9, last_label=4)
