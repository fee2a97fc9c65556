import json
from pathlib import Path

import pytest

from tasks.people.reporting import link_to, write_summary
from tasks.settings import get_settings


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


def test_a_report_is_linked_by_the_report_server_where_there_is_one(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = f"{home}/reports/drift/tiny v1.html"
    alone = link_to(page)
    monkeypatch.setenv("DRIFTLINE_REPORTS_URL", "http://127.0.0.1:5001/")
    get_settings.cache_clear()

    assert alone == f"file://{home}/reports/drift/tiny%20v1.html"
    assert link_to(page) == "http://127.0.0.1:5001/drift/tiny%20v1.html"
    assert link_to("s3://elsewhere/page.html") == "s3://elsewhere/page.html"
