"""What the owner of a model is told, as sentences and tables, from the state as JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

Document = Mapping[str, Any]
Rows = list[list[str]]

CHAMPION = "champion"
REASONS = 3
ACTOR = 16  # letters: a flow, and how the id of its run begins
NEVER = "no model serves yet: run the main job with make run"


def tell_champion(journal: Sequence[Document]) -> str:
    """Who serves, since when and why."""
    mine = [entry for entry in journal if entry["alias"] == CHAMPION]
    if not mine or mine[-1]["after"] is None:
        return f"For now {NEVER}."
    last = mine[-1]
    return f"Version {last['after']} serves since {_day(last['at'])}: {last['why']}."


def champion_of(journal: Sequence[Document]) -> str | None:
    """The version that serves."""
    held = [entry["after"] for entry in journal if entry["alias"] == CHAMPION]
    return held[-1] if held else None


def waiting_version(journal: Sequence[Document], runs: Mapping[str, Document]) -> str | None:
    """A version that passed its gate last, and that only a person's word keeps from serving."""
    gated = {flow: each for flow, each in runs.items() if each.get("promotion", {}).get("verdict")}
    summary = newest(gated, "train", "pipeline", "ab", "monitor")
    if summary.get("promotion", {}).get("verdict") != "waiting":
        return None
    version = str(summary.get("trial", summary.get("model", {}))["version"])
    served = {entry["after"] for entry in journal if entry["alias"] == CHAMPION}
    return None if version in served else version


def journal_rows(journal: Sequence[Document]) -> Rows:
    """Each change of an alias, the newest first."""
    return [
        [
            _day(e["at"]),
            e["alias"],
            e["before"] or "-",
            e["after"] or "-",
            e["actor"][:ACTOR],
            e["why"],
        ]
        for e in reversed(journal)
    ]


def verdict_rows(verdicts: Sequence[Document]) -> Rows:
    """Each verdict with its first reasons, the newest first."""
    return [
        [_day(v["decided_at"]), v["model_version"], v["verdict"], "; ".join(v["reasons"][:REASONS])]
        for v in verdicts
    ]


def quarantine_rows(verdicts: Sequence[Document]) -> Rows:
    """Windows that wait for a person: their key, how many rows, and why.

    A table that was given to look at, and refusals alone, leave no rows to decide on.
    """
    return [
        [
            v["key"][:12],
            str(v["rows"]),
            "; ".join(v["reasons"][:REASONS]),
        ]
        for v in verdicts
        if v["verdict"] == "quarantine" and v["decision"] is None and v["rows"]
    ]


def label_first(runs: Mapping[str, Document]) -> list[str]:
    """Ids of the answers whose outcome would tell most, where the last look asked for labels."""
    ids: list[str] = newest(runs, "monitor").get("drift", {}).get("label_first", [])
    return ids


def newest(runs: Mapping[str, Document], *flows: str) -> Document:
    """The summary of some flows that ended last."""
    found = [runs[flow] for flow in flows if flow in runs]
    return max(found, key=lambda summary: str(summary["ended_at"]), default={})


def tell_gate(summary: Document) -> str:
    """What the gate said of the newest training."""
    promotion = summary.get("promotion")
    if not promotion:
        return "No training has ended yet on the machine of the state server."
    return f"The last training was {promotion['verdict']}: {'; '.join(promotion['reasons'])}."


def gate_rows(summary: Document) -> Rows:
    """Each bound, what was measured, and whether it is kept."""
    gates = summary.get("promotion", {}).get("gates", [])
    return [
        [
            gate["metric"],
            str(gate["wanted"]),
            "-" if gate["got"] is None else f"{gate['got']:.4f}",
            "yes" if gate["is_kept"] else "no",
        ]
        for gate in gates
    ]


def replay_rows(summary: Document) -> Rows:
    """Each policy of the last replay: loss, trainings, and what it saved."""
    policies = summary.get("replay", {}).get("policies", [])
    return [
        [one["name"], f"{one['loss']:.4f}", str(one["full"]), str(one["refits"])]
        for one in policies
    ]


def health_rows(health: Document) -> Rows:
    """Each part of the service, its state, since when, and what keeps it."""
    return [
        [name, part["state"], _moment(part["since"]), part.get("why", "")]
        for name, part in health["parts"].items()
    ]


def latest_report(verdicts: Sequence[Document], runs: Mapping[str, Document]) -> str:
    """The name of the newest drift report, or "" where there is none."""
    drawn = [v["report"] for v in verdicts if v["report"]]
    first = str(newest(runs, "monitor", "pipeline").get("drift", {}).get("report", ""))
    return drawn[0] if drawn else first.rpartition("/")[2]


def _day(moment: str) -> str:
    return moment[:10]


def _moment(moment: str) -> str:
    return moment[:16].replace("T", " ")
