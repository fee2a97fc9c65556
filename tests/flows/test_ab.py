"""A trial of a second model from its start to its end, through the command line on real state."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bentos.takeover.split import parse_split
from tests.support import TINY, file_problem, tiny_rows

pytestmark = pytest.mark.system

MEANING = {0: "well", 1: "ill"}


@dataclass(frozen=True)
class Site:
    """A state folder with a project, and what is done there."""

    root: Path
    run_flow: Callable[..., Any]

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run a flow to its end, whatever that is."""
        done: subprocess.CompletedProcess[str] = self.run_flow(
            *words, home=self.root / "home", project=self.root / "project"
        )
        return done

    def do(self, *words: str) -> dict[str, Any]:
        """Run a flow that has to succeed; returns the summary that it left."""
        done = self.run(*words)
        assert done.returncode == 0, done.stderr + done.stdout
        latest = self.root / "home" / "runs" / "latest.json"
        summary: dict[str, Any] = json.loads(latest.read_text("utf-8"))
        return summary

    def train(self, name: str, table: pd.DataFrame) -> dict[str, Any]:
        """Train on a table."""
        source = self.root / f"{name}.csv"
        table.to_csv(source, index=False)
        return self.do("train", "tiny", "--source", str(source), "--folds", "2")

    def serve_and_label(self, rows: int, *, seed: int) -> None:
        """Let the champion answer a batch, and tell what became of each row."""
        batch = tiny_rows(rows, seed=seed)
        source, file = self.root / f"batch-{seed}.csv", self.root / f"labels-{seed}.csv"
        batch.drop(columns="outcome").to_csv(source, index=False)
        scored = Path(self.do("score", "tiny", "--source", str(source))["scores"]["path"])
        parts = [part for part in sorted(scored.glob("*.parquet")) if part.name[0] != "_"]
        answers = pd.concat([pd.read_parquet(part) for part in parts], ignore_index=True)
        told = {"prediction_id": answers["prediction_id"], "label": batch["outcome"].map(MEANING)}
        pd.DataFrame(told).to_csv(file, index=False)
        self.do("label", "tiny", "--source", str(file))

    @property
    def split(self) -> Path:
        """What says to services whom the contender answers."""
        return self.root / "home" / "bentoml" / "serving" / "tiny.trial.json"


@pytest.fixture(scope="module")
def site(run_flow: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A champion that has learnt the contrary, and a version that too few rows could be judged on.

    A person decides on trainings and rollbacks, so that the trial alone changes who serves.
    """
    root = tmp_path_factory.mktemp("ab")
    by_person = {"train": "person", "roll_back": "person"}
    source = {"kind": "file", "location": str(root / "first.csv")}
    changes = {"source": source, "changes": by_person, "comparison": {"min_rows": 200}}
    file_problem(root / "project", "tiny", TINY | changes)
    made, table = Site(root, run_flow), tiny_rows(400)
    first = made.train("first", table.assign(outcome=1 - table["outcome"]))
    second = made.train("second", tiny_rows(160, seed=9))
    assert first["promotion"]["champion"] == "1"
    assert second["promotion"]["verdict"] == "need_labels"
    return made


def test_a_contender_takes_over_once_it_is_proved_and_a_worse_one_is_ended(site: Site) -> None:
    begun = site.do("ab", "tiny", "--version", "2", "--share", "0.2", "--key", "age")
    split = parse_split(site.split.read_bytes(), "tiny")
    again = site.run("ab", "tiny", "--version", "2")
    site.serve_and_label(200, seed=1)
    won = site.do("monitor", "tiny")
    is_over = not site.split.exists()
    site.do("ab", "tiny", "--version", "1", "--share", "0.3")
    site.serve_and_label(200, seed=2)
    lost = site.do("ab", "tiny")
    verified = site.run("journal", "tiny", "--verify")

    assert begun["trial"]["verdict"] == "running"
    assert (split.pointer.version, split.champion, split.share) == ("2", "1", 0.2)
    assert split.field == "age"
    assert again.returncode == 1
    assert "a trial of version 2 is under way, wanted none" in again.stderr
    assert won["trial"]["verdict"] == "better"
    assert "saved per answer on the same 200 labelled rows" in won["trial"]["reason"]
    assert (won["promotion"]["verdict"], won["promotion"]["champion"]) == ("promoted", "2")
    assert won["bento"]["tag"].startswith("tiny:v2-")
    assert is_over
    assert lost["trial"]["verdict"] == "worse"
    assert not site.split.exists()
    assert verified.returncode == 0, verified.stdout
    assert "the trial has ended: proved better" in " ".join(verified.stdout.split())


def test_what_may_not_be_tried_is_refused_in_a_sentence_and_a_person_may_stop(site: Site) -> None:
    champion = site.do("monitor", "tiny", "--holdout")["drift"]["model_version"]
    other = {"1": "2", "2": "1"}[champion]

    unknown = site.run("ab", "tiny", "--version", "99")
    itself = site.run("ab", "tiny", "--version", champion)
    field = site.run("ab", "tiny", "--version", other, "--key", "patient_id")
    nothing = site.run("ab", "tiny", "--stop")
    site.do("ab", "tiny", "--version", other)
    stopped = site.do("ab", "tiny", "--stop", "--actor", "Ada")

    for done, why in (
        (unknown, "the registry has no version 99"),
        (itself, f"version {champion} is the champion, wanted another version"),
        (field, "key: got 'patient_id', wanted one of the fields that are asked"),
        (nothing, "no trial is under way, wanted one to stop"),
    ):
        assert done.returncode == 1
        assert why in done.stderr
        assert "Traceback" not in done.stderr + done.stdout
    assert (stopped["trial"]["verdict"], stopped["trial"]["version"]) == ("stopped", other)
    assert not site.split.exists()
