"""One tiny problem through the real command line; each run is shared by several assertions."""

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support import (
    MOODS,
    TINY,
    file_problem,
    mental_health,
    mood_rows,
    shared_data,
    tiny_rows,
)

pytestmark = pytest.mark.system

SUMMARY_KEYS = {
    "flow",
    "problem",
    "run_id",
    "snapshot",
    "validation",
    "candidates",
    "classes",
    "confusion",
    "goal",
    "metrics",
    "intervals",
    "promotion",
    "model",
    "parity",
    "seconds",
}


@dataclass(frozen=True)
class Ran:
    """A finished command, and the summary that was the newest after it."""

    done: subprocess.CompletedProcess[str]
    summary: dict[str, Any]
    home: Path


Train = Callable[..., Ran]


@pytest.fixture(scope="module")
def train(run_flow: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Train:
    """Train problems of one project, in one state folder."""
    root = tmp_path_factory.mktemp("train")
    project = root / "project"
    file_problem(project, "tiny", TINY)
    file_problem(project, "moods", MOODS)
    part = {"kind": "file", "location": str(project / "tiny.csv")}
    file_problem(project, "part", TINY, source=part, max_training_rows=150)
    tiny_rows().to_csv(project / "tiny.csv", index=False)
    mood_rows().to_csv(project / "moods.csv", index=False)

    def run(problem: str, *options: str, flow: str = "train") -> Ran:
        home = root / "home"
        source = [] if flow != "train" else ["--source", str(project / f"{problem}.csv")]
        done = run_flow(flow, problem, *source, *options, home=home, project=project)
        latest = home / "runs" / "latest.json"
        summary = json.loads(latest.read_text("utf-8")) if latest.exists() else {}
        return Ran(done, summary, home)

    return run


@pytest.fixture(scope="module")
def smoke(train: Train) -> Ran:
    """A quick run: a fifth of the rows, never promoted."""
    return train("tiny", "--smoke", "--require-promotion")


@pytest.fixture(scope="module")
def first(train: Train, smoke: Ran) -> Ran:
    """The first full run, after the smoke run."""
    del smoke
    return train("tiny", "--folds", "3")


@pytest.fixture(scope="module")
def second(train: Train, first: Ran) -> Ran:
    """The same command again."""
    del first
    return train("tiny", "--folds", "3")


def test_a_smoke_run_is_never_promoted(smoke: Ran) -> None:
    promotion = smoke.summary["promotion"]

    assert promotion["verdict"] == "rejected"
    assert "a smoke run, on a fifth of the rows, is never promoted" in promotion["reasons"]
    assert promotion["champion"] is None


def test_a_rejection_that_was_ruled_out_exits_1_and_still_writes_its_summary(smoke: Ran) -> None:
    assert smoke.done.returncode == 1
    assert "not promoted, and --require-promotion was given" in smoke.done.stderr
    assert smoke.summary["flow"] == "train"
    assert set(smoke.summary) == SUMMARY_KEYS


def test_the_first_model_that_keeps_its_gates_is_champion(first: Ran) -> None:
    assert first.done.returncode == 0, first.done.stderr
    promotion = first.summary["promotion"]
    assert promotion["verdict"] == "promoted", promotion["reasons"]
    assert promotion["champion"] == first.summary["model"]["version"]
    assert promotion["previous"] is None


def test_the_summary_has_the_keys_that_others_rely_on(first: Ran) -> None:
    summary = first.summary

    assert set(summary) == SUMMARY_KEYS | {"bento", "evidence"}  # of what is promoted
    assert (summary["flow"], summary["problem"]) == ("train", "tiny")
    assert {"sha256", "rows", "quarantined"} <= set(summary["snapshot"])
    assert {"success", "failed", "report"} <= set(summary["validation"])
    assert [one["name"] for one in summary["candidates"]] == TINY["candidates"]
    assert all({"name", "cv", "test"} <= set(one) for one in summary["candidates"])
    assert [one["name"] for one in summary["classes"]] == ["well", "ill"]
    assert {"verdict", "reasons", "champion", "previous"} <= set(summary["promotion"])
    assert set(summary["model"]) == {"name", "version", "run_id", "onnx_sha256"}
    assert set(summary["parity"]) == {"rows", "labels_equal", "max_probability_difference"}


def test_the_figures_of_the_winner_are_flat_numbers(first: Ran) -> None:
    figures = first.summary["metrics"]

    wanted = {"test_accuracy", "test_recall", "test_roc_auc", "cv_recall_mean", "cv_recall_std"}
    assert wanted <= set(figures)
    assert all(isinstance(value, float) for value in figures.values())
    low, high = first.summary["intervals"]["roc_auc"]
    assert low <= figures["test_roc_auc"] <= high


def test_a_run_leaves_its_summary_under_its_id(first: Ran) -> None:
    path = first.home / "runs" / first.summary["run_id"] / "summary.json"

    assert json.loads(path.read_text("utf-8")) == first.summary


def test_a_run_leaves_its_snapshot_and_its_data_docs(first: Ran) -> None:
    sha256 = first.summary["snapshot"]["sha256"]

    assert (first.home / "snapshots" / f"{sha256}.parquet").is_file()
    assert Path(first.summary["validation"]["report"]).read_text("utf-8").strip()


def test_the_onnx_file_answers_like_the_model(first: Ran) -> None:
    parity = first.summary["parity"]

    assert parity["labels_equal"]
    assert parity["rows"] > 240
    assert parity["max_probability_difference"] <= 1e-6


def test_a_person_sees_progress_and_a_table_and_nothing_else(first: Ran) -> None:
    shown = first.done.stdout

    for word in ("dataset", "validation", "logistic_regression", "gate", "ONNX parity", "seconds"):
        assert word in shown
    assert "read and clean" in shown
    for noise in ("Traceback", "Warning", "WARNING", "ERROR"):
        assert noise not in shown + first.done.stderr


def test_the_same_rows_and_seed_give_the_same_figures(first: Ran, second: Ran) -> None:
    assert second.summary["snapshot"]["sha256"] == first.summary["snapshot"]["sha256"]
    assert second.summary["metrics"] == pytest.approx(first.summary["metrics"], abs=1e-9)
    for one, other in zip(first.summary["candidates"], second.summary["candidates"], strict=True):
        assert one["name"] == other["name"]
        assert one["cv"] == pytest.approx(other["cv"], abs=1e-9)
    assert second.summary["model"]["onnx_sha256"] == first.summary["model"]["onnx_sha256"]


def test_an_equal_challenger_is_rejected_and_the_champion_stays(first: Ran, second: Ran) -> None:
    promotion = second.summary["promotion"]

    assert second.done.returncode == 0
    assert promotion["verdict"] == "rejected"
    assert promotion["champion"] == first.summary["model"]["version"]
    assert second.summary["model"]["version"] != promotion["champion"]


def test_a_champion_is_watched_from_its_first_day(train: Train, second: Ran) -> None:
    del second

    watched = train("tiny", flow="monitor")

    assert watched.done.returncode == 0, watched.done.stderr
    drift = watched.summary["drift"]
    assert set(watched.summary) == {"flow", "problem", "run_id", "drift", "seconds"}
    assert drift["verdict"] in {"ok", "watch"}
    assert drift["judged"] == "rows held out: nothing is predicted yet"
    assert f"A tiny two-class problem: {drift['verdict']}" in Path(drift["report"]).read_text(
        "utf-8"
    )


def test_a_problem_of_two_yaml_files_trains_and_packages(train: Train) -> None:
    """Three classes, categories only, and not a line of Python."""
    trained = train("moods", "--folds", "3")
    packaged = train("moods", flow="package")

    assert trained.done.returncode == 0, trained.done.stderr
    assert trained.summary["promotion"]["verdict"] == "promoted"
    assert packaged.done.returncode == 0, packaged.done.stderr
    bento = Path(packaged.summary["bento"]["path"])
    assert packaged.summary["bento"]["tag"].startswith("moods:v")
    contracts = list(bento.rglob("contract.json"))
    assert json.loads(contracts[0].read_text("utf-8"))["classes"] == ["low", "even", "high"]
    shutil.rmtree(bento)


@pytest.mark.data
def test_a_real_table_of_categories_needs_two_yaml_files_only(
    run_flow: Callable[..., Any], tmp_path: Path
) -> None:
    project, home = tmp_path / "project", tmp_path / "home"
    file_problem(project, "mental_health", mental_health())
    source = shared_data("mental_health", "clean.csv")

    done = run_flow(
        "train",
        "mental_health",
        "--source",
        str(source),
        "--folds",
        "3",
        home=home,
        project=project,
    )

    assert done.returncode == 0, done.stderr
    summary = json.loads((home / "runs" / "latest.json").read_text("utf-8"))
    assert summary["snapshot"]["rows"] == 120
    assert summary["promotion"]["verdict"] == "promoted", summary["promotion"]["reasons"]
    assert summary["metrics"]["test_accuracy"] >= 0.6


def test_a_table_of_too_many_rows_is_learnt_from_by_a_part(train: Train) -> None:
    ran = train("part", "--folds", "2", flow="pipeline")

    summary = ran.summary
    (told,) = summary["bounds"]
    learnt = int(told.split()[2])
    assert ran.done.returncode == 0, ran.done.stdout + ran.done.stderr
    assert told == f"learnt from {learnt} of {len(tiny_rows())} rows: `max_training_rows` (150)"
    assert told in " ".join(ran.done.stdout.split())
    assert summary["snapshot"]["rows"] == len(tiny_rows())
    assert summary["drift"]["rows"] == round(learnt / 4)  # the test rows of the part, no others
    card = next((ran.home / "reports" / "cards").glob("part-*.html")).read_text("utf-8")
    assert told in card
