"""The main job runs first where nobody could be served, and only there."""

import sys

import pytest

from deployments import first
from driftline.errors import NotFoundError

CHAMPIONS: dict[str, str] = {}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whose main job was run; each makes a champion but that of `weak`."""
    ran: list[str] = []

    def run(name: str) -> None:
        ran.append(name)
        if name == "absent":
            message = "pipeline/absent: Prefect's server has no such deployment"
            raise NotFoundError(message)
        if name != "weak":
            CHAMPIONS[name] = f"{name}:v1"

    monkeypatch.setattr(first, "run_main_job", run)
    monkeypatch.setattr(first, "served_tag", CHAMPIONS.get)
    CHAMPIONS.clear()
    CHAMPIONS["served"] = "served:v1"
    return ran


def main(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["first", *words])
    return first.main()


def test_only_who_has_no_champion_is_trained(
    run: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(monkeypatch, "served,new-one") == 0
    assert run == ["new_one"]


def test_a_main_job_without_a_champion_is_an_error(
    run: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(monkeypatch, "weak,other") == 1
    assert len(run) == 1
    assert capsys.readouterr().err == "error: weak: the main job ended without a champion\n"


def test_what_is_not_deployed_is_an_error(
    run: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(monkeypatch, "absent") == 1
    assert run == ["absent"]
    assert capsys.readouterr().err.startswith("error: pipeline/absent: Prefect's server has no")


def test_no_problem_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(monkeypatch) == 1
    assert capsys.readouterr().err == "error: got no problem, wanted names of problems, by commas\n"
