"""The main job runs first where nobody could be served, and only there."""

import subprocess
import sys
from typing import Any

import pytest

from deployments import first

RUN = ("prefect", "deployment", "run")
CHAMPIONS: dict[str, str] = {}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The main jobs that were run; each makes a champion but that of `weak`."""
    ran: list[list[str]] = []

    def run(words: list[str], **_given: Any) -> subprocess.CompletedProcess[bytes]:
        ran.append(words[1:])
        name = words[-2].removeprefix("pipeline/").replace("-", "_")
        if name != "weak":
            CHAMPIONS[name] = f"{name}:v1"
        return subprocess.CompletedProcess(words, 0)

    monkeypatch.setattr(first.subprocess, "run", run)
    monkeypatch.setattr(first, "served_tag", CHAMPIONS.get)
    CHAMPIONS.clear()
    CHAMPIONS["served"] = "served:v1"
    return ran


def main(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["first", *words])
    return first.main()


def test_only_who_has_no_champion_is_trained(
    run: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(monkeypatch, "served,new-one") == 0
    assert run == [["-m", *RUN, "pipeline/new-one", "--watch"]]


def test_a_main_job_without_a_champion_is_an_error(
    run: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(monkeypatch, "weak,other") == 1
    assert len(run) == 1
    assert capsys.readouterr().err == "error: weak: the main job ended without a champion\n"


def test_no_problem_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(monkeypatch) == 1
    assert capsys.readouterr().err == "error: got no problem, wanted names of problems, by commas\n"
