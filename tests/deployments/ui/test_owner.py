from typing import Any

from deployments.ui import owner

PROMOTED: dict[str, Any] = {
    "at": "2026-03-04T05:06:07+00:00",
    "alias": "champion",
    "before": None,
    "after": "1",
    "actor": "train 0123456789abcdef",
    "why": "it is better",
}
VERDICT: dict[str, Any] = {
    "key": "ab" * 20,
    "verdict": "quarantine",
    "model_version": "1",
    "reasons": ["level: stuck", "b", "c", "d"],
    "first_prediction": 11,
    "last_prediction": 20,
    "decided_at": "2026-03-05T05:06:07",
    "report": "tiny-v1-abab.html",
    "decision": None,
    "rows": 10,
}


def test_who_serves_is_told_with_since_when_and_why() -> None:
    challenger = PROMOTED | {"alias": "challenger", "after": "2"}

    assert owner.tell_champion([PROMOTED, challenger]) == (
        "Version 1 serves since 2026-03-04: it is better."
    )
    assert "no model serves yet" in owner.tell_champion([challenger])
    assert "no model serves yet" in owner.tell_champion([PROMOTED, PROMOTED | {"after": None}])


def test_the_journal_reads_the_newest_first() -> None:
    rows = owner.journal_rows([PROMOTED, PROMOTED | {"before": "1", "after": "2"}])

    assert [row[2:4] for row in rows] == [["1", "2"], ["-", "1"]]
    assert rows[0][4] == "train 0123456789"


def test_what_is_set_aside_waits_until_a_person_has_decided() -> None:
    others = [VERDICT | {"decision": "released"}, VERDICT | {"verdict": "ok"}]
    others.append(VERDICT | {"first_prediction": 21, "rows": 0})  # of a table that was given

    assert owner.quarantine_rows([VERDICT, *others]) == [
        ["abababababab", "10", "level: stuck; b; c"]
    ]
    assert owner.verdict_rows([VERDICT]) == [
        ["2026-03-05", "1", "quarantine", "level: stuck; b; c"]
    ]


def test_rows_to_label_first_are_those_of_the_last_look() -> None:
    run = {"ended_at": "1", "drift": {"label_first": ["id-1"]}}

    assert owner.label_first({"monitor": run}) == ["id-1"]
    assert owner.label_first({"monitor": {"ended_at": "1", "drift": {}}}) == []
    assert owner.label_first({}) == []


def test_the_gate_is_that_of_the_training_that_ended_last() -> None:
    gate = {"metric": "test_recall", "wanted": "at least 0.9", "got": 0.95, "is_kept": True}
    early = {"ended_at": "1", "promotion": {"verdict": "promoted", "reasons": ["a"], "gates": []}}
    late = {
        "ended_at": "2",
        "promotion": {"verdict": "rejected", "reasons": ["b"], "gates": [gate]},
    }
    last = owner.newest({"train": late, "pipeline": early}, "pipeline", "train")

    assert owner.tell_gate(last) == "The last training was rejected: b."
    assert owner.gate_rows(last) == [["test_recall", "at least 0.9", "0.9500", "yes"]]
    assert owner.gate_rows({"promotion": {"gates": [gate | {"got": None, "is_kept": False}]}}) == [
        ["test_recall", "at least 0.9", "-", "no"]
    ]
    assert owner.tell_gate({}).startswith("No training has ended")


def test_the_report_is_that_of_the_last_verdict_or_of_the_first_look() -> None:
    first = {"ended_at": "1", "drift": {"report": "/home/reports/drift/tiny-v1-holdout.html"}}

    assert owner.latest_report([VERDICT], {"pipeline": first}) == "tiny-v1-abab.html"
    assert owner.latest_report([], {"pipeline": first}) == "tiny-v1-holdout.html"
    assert owner.latest_report([], {}) == ""


def test_health_and_replay_are_tables() -> None:
    health = {"parts": {"spool": {"state": "up", "since": "2026-03-04T05:06:07+00:00"}}}
    replay = {"replay": {"policies": [{"name": "never", "loss": 0.5, "full": 0, "refits": 1}]}}

    assert owner.health_rows(health) == [["spool", "up", "2026-03-04 05:06", ""]]
    assert owner.replay_rows(replay) == [["never", "0.5000", "0", "1"]]


def test_a_model_that_passed_its_gate_waits_until_a_person_agrees() -> None:
    summary = {"ended_at": "1", "promotion": {"verdict": "waiting"}, "model": {"version": 2}}
    runs = {"train": summary}

    assert owner.champion_of([PROMOTED]) == "1"
    assert owner.waiting_version([PROMOTED], runs) == "2"
    assert owner.waiting_version([PROMOTED, PROMOTED | {"after": "2"}], runs) is None
    promoted = summary | {"promotion": {"verdict": "promoted"}}
    assert owner.waiting_version([PROMOTED], {"train": promoted}) is None
    assert owner.waiting_version([], {}) is None


def test_a_trial_s_winner_waits_too_whatever_looked_since() -> None:
    won = {"ended_at": "3", "promotion": {"verdict": "waiting"}, "trial": {"version": "5"}}
    looked = {"ended_at": "4", "drift": {"verdict": "ok"}}

    assert owner.waiting_version([PROMOTED], {"ab": won, "monitor": looked}) == "5"
