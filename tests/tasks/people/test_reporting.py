import json
from pathlib import Path

from tasks.people.reporting import write_summary


def test_the_latest_summary_is_kept_for_all_and_for_each_flow_and_problem(home: Path) -> None:
    for run_id, flow, problem in [("1", "train", "a"), ("2", "train", "b"), ("3", "sweep", "")]:
        write_summary(run_id, {"flow": flow, "problem": problem, "run_id": run_id})

    told = {path.name: json.loads(path.read_text("utf-8"))["run_id"] for path in latest(home)}
    assert told == {
        "latest.json": "3",
        "train-a-latest.json": "1",
        "train-b-latest.json": "2",
        "sweep-latest.json": "3",
    }


def latest(home: Path) -> list[Path]:
    return list((home / "runs").glob("*latest.json"))
