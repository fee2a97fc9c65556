"""A number to predict through the whole loop, by the command line on real state."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.support import STAY, file_problem, stay_rows

pytestmark = pytest.mark.system


@dataclass(frozen=True)
class Ward:
    """A state folder with the problem of days in hospital, and what is done there."""

    root: Path
    run_flow: Callable[..., Any]

    def run(self, *words: str) -> Any:
        """Run a flow to its end, whatever that is."""
        return self.run_flow(*words, home=self.root / "home", project=self.root / "project")

    def do(self, *words: str) -> dict[str, Any]:
        """Run a flow that succeeds; returns the summary that it left."""
        done = self.run(*words)
        assert done.returncode == 0, done.stderr + done.stdout
        summary = (self.root / "home" / "runs" / "latest.json").read_text("utf-8")
        found: dict[str, Any] = json.loads(summary)
        return found

    def serve_and_label(self, table: pd.DataFrame) -> pd.DataFrame:
        """Let the champion answer the rows, and tell how long each stay really was."""
        source, file = self.root / "batch.csv", self.root / "labels.csv"
        table.drop(columns="stay").to_csv(source, index=False)
        scores = Path(self.do("score", "stay", "--source", str(source))["scores"]["path"])
        answers = pd.read_parquet(scores / "part-00000.parquet")
        told = {"prediction_id": answers["prediction_id"], "stay": table["stay"]}
        pd.DataFrame(told).to_csv(file, index=False)
        assert self.do("label", "stay", "--source", str(file))["labels"]["new"] == len(table)
        return answers


@pytest.fixture(scope="module")
def ward(run_flow: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Ward:
    """The problem with its rows, in a folder of their own."""
    root = tmp_path_factory.mktemp("ward")
    source = {"kind": "file", "location": str(root / "project" / "stay.csv")}
    file_problem(root / "project", "stay", STAY | {"source": source})
    stay_rows(400).to_csv(root / "project" / "stay.csv", index=False)
    return Ward(root, run_flow)


def test_a_number_is_learnt_answered_watched_and_learnt_anew(ward: Ward) -> None:
    """Where the relation turns round, labels prove harm, and a renewed model takes over."""
    trained = ward.do("train", "stay")

    assert trained["promotion"]["champion"] == "1"
    assert trained["goal"]["minimise"] == "mae"
    assert trained["parity"]["max_relative_difference"] < 1e-5
    intervals = trained["prediction_intervals"]
    assert intervals["low"] < 0.9 < intervals["high"]
    assert trained["promotion"]["interval_reach"] == pytest.approx(intervals["reach"])

    turned = stay_rows(300, seed=1, slope=-3.0)
    answers = ward.serve_and_label(turned)
    harmed = ward.do("monitor", "stay")["drift"]
    renewed = ward.do("train", "stay", "--only-ordered")

    widths = answers["interval_high"] - answers["interval_low"]
    assert widths.max() == pytest.approx(2 * intervals["reach"])
    assert harmed["verdict"] == "retrain"
    assert any("absolute_error" in reason for reason in harmed["reasons"])
    assert renewed["promotion"]["verdict"] == "promoted"
    assert renewed["promotion"]["champion"] == "2"


def test_every_environment_answers_the_same_numbers_and_intervals(ward: Ward) -> None:
    """A bento's own server, and the predictor in this process, as the fitted pipeline."""
    found = {one["name"]: one for one in ward.do("verify", "stay", "--rows", "500")["environments"]}

    for name in ("scikit-learn pipeline", "ONNX predictor", "bentoml serve"):
        assert (found[name]["state"], found[name]["why"]) == ("equal", "")
        assert found[name]["metrics"]["interval_coverage"] > 0.7
