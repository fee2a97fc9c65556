"""From labels to a renewed champion and back, through the command line on real state."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.support import TINY, file_problem, tiny_rows

pytestmark = pytest.mark.system

SWAPPED = {0: "ill", 1: "well"}
STRAIGHT = {0: "well", 1: "ill"}


@dataclass(frozen=True)
class Site:
    """A state folder with a project, and what is done there."""

    root: Path
    run_flow: Callable[..., Any]

    def do(self, *words: str) -> dict[str, Any]:
        """Run a flow to its end; returns the summary that it left."""
        done = self.run_flow(*words, home=self.root / "home", project=self.root / "project")
        assert done.returncode == 0, done.stderr + done.stdout
        latest = self.root / "home" / "runs" / "latest.json"
        summary: dict[str, Any] = json.loads(latest.read_text("utf-8"))
        return summary

    def serve_and_label(self, rows: int, *, seed: int, meaning: dict[int, str]) -> None:
        """Let the champion answer a batch, and tell what became of each row."""
        batch = tiny_rows(rows, seed=seed)
        source = self.root / f"batch-{seed}.csv"
        batch.drop(columns="outcome").to_csv(source, index=False)
        scored = self.do("score", "tiny", "--source", str(source))
        answers = pd.concat(
            [
                pd.read_parquet(part)
                for part in sorted(Path(scored["scores"]["path"]).glob("*.parquet"))
                if not part.name.startswith("_")
            ],
            ignore_index=True,
        )
        labels = pd.DataFrame(
            {"prediction_id": answers["prediction_id"], "label": batch["outcome"].map(meaning)}
        )
        file = self.root / f"labels-{seed}.csv"
        labels.to_csv(file, index=False)
        self.do("label", "tiny", "--source", str(file))

    def champion(self) -> str:
        """Who serves, by the newest bento's own contract."""
        return str(self.do("monitor", "tiny", "--holdout")["drift"]["model_version"])


@pytest.fixture(scope="module")
def site(run_flow: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The tiny problem with a champion."""
    root = tmp_path_factory.mktemp("loop")
    source = {"kind": "file", "location": str(root / "project" / "tiny.csv")}
    file_problem(root / "project", "tiny", TINY | {"source": source})
    tiny_rows(400).to_csv(root / "project" / "tiny.csv", index=False)
    made = Site(root, run_flow)
    trained = made.do("train", "tiny")
    assert trained["promotion"]["champion"] == "1"
    return made


def test_what_has_come_to_mean_the_contrary_is_learnt_and_unlearnt(site: Site) -> None:
    """Labels prove harm, a renewal is trained and takes over; proved worse, it is taken back."""
    site.serve_and_label(300, seed=1, meaning=SWAPPED)

    harmed = site.do("monitor", "tiny")
    renewed = site.do("train", "tiny", "--only-ordered")
    site.serve_and_label(300, seed=2, meaning=STRAIGHT)
    taken_back = site.do("monitor", "tiny")

    assert harmed["drift"]["verdict"] == "retrain"
    assert "a model renewed now saves" in harmed["drift"]["reasons"][0]
    assert (renewed["promotion"]["verdict"], renewed["promotion"]["champion"]) == ("promoted", "2")
    assert [one["name"] for one in renewed["candidates"]][1:] != []
    assert taken_back["promotion"]["verdict"] == "rolled back"
    assert "is worse than version 1, which it replaced" in taken_back["promotion"]["reasons"][0]
    assert site.champion() == "1"


def test_predictions_too_few_to_be_judged_add_up(site: Site) -> None:
    site.serve_and_label(40, seed=3, meaning=STRAIGHT)
    few = site.do("monitor", "tiny")["drift"]
    site.serve_and_label(80, seed=4, meaning=STRAIGHT)
    more = site.do("monitor", "tiny")["drift"]

    assert (few["rows"], few["verdict"]) == (40, "watch")
    assert "only 40 rows, wanted 100" in " ".join(few["reasons"])
    assert more["rows"] == 120


@pytest.mark.parametrize("broken", ["a renamed column", "no row", "three rows"])
def test_a_table_that_cannot_be_judged_has_a_verdict_all_the_same(site: Site, broken: str) -> None:
    table = tiny_rows(200, seed=5).drop(columns="outcome")
    if broken == "a renamed column":
        table = table.rename(columns={"age": "years"})
    table = table.head({"no row": 0, "three rows": 3}.get(broken, 200))
    source = site.root / "broken.csv"
    table.to_csv(source, index=False)

    judged = site.do("monitor", "tiny", "--source", str(source))["drift"]

    assert judged["verdict"] == ("watch" if broken == "three rows" else "quarantine")
    assert judged["verdict"] in Path(judged["report"]).read_text("utf-8")


def test_labels_of_a_source_are_said_not_to_be_judged(site: Site) -> None:
    """Swapped labels beside plain inputs: the verdict speaks of the inputs alone."""
    table = tiny_rows(200, seed=6)
    table["outcome"] = 1 - table["outcome"]
    source = site.root / "swapped.csv"
    table.to_csv(source, index=False)

    words = ("monitor", "tiny", "--source", str(source))
    done = site.run_flow(*words, home=site.root / "home", project=site.root / "project")

    assert done.returncode == 0, done.stderr + done.stdout
    assert "outcome: labels of a source are not judged here" in done.stdout + done.stderr
