"""A problem with computed features through the loop, by the command line on real state."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bentos.predictor import load_predictor
from driftline.dataset import encode_rows
from tests.support import TINY, file_problem, make_problem, tiny_rows

pytestmark = pytest.mark.system

FEATURES = {"odds": "exposure / base", "old": "bins(age, [40, 65])"}
COLUMNS = TINY["columns"] | {"exposure": {"range": [0, 100]}, "base": {"range": [0, 10]}}


def make_rows(count: int, seed: int = 0) -> pd.DataFrame:
    """Rows of which only a ratio tells the outcome; a base of 0 leaves it undefined."""
    rng = np.random.default_rng(seed)
    table = tiny_rows(count, seed)
    base = np.round(rng.uniform(0.5, 10, count), 2)
    ratio = rng.normal(2 + 2.5 * table["outcome"], 1).clip(0.1, 9)
    exposure = np.round(ratio * base, 3)
    base[::20] = 0
    return table.assign(level=0.5, exposure=exposure, base=base)


def test_what_is_computed_is_alike_in_training_and_wherever_a_record_is_answered(
    run_flow: Callable[..., Any], tmp_path: Path
) -> None:
    home, project = tmp_path / "home", tmp_path / "project"
    changes: dict[str, Any] = {"columns": COLUMNS, "features": FEATURES}
    source = {"kind": "file", "location": str(project / "rows.csv")}
    file_problem(project, "tiny", TINY, source=source, **changes)
    make_rows(400).to_csv(project / "rows.csv", index=False)

    def do(*words: str) -> dict[str, Any]:
        done = run_flow(*words, home=home, project=project)
        assert done.returncode == 0, done.stderr + done.stdout
        found: dict[str, Any] = json.loads((home / "runs" / "latest.json").read_text("utf-8"))
        return found

    trained = do("train", "tiny")
    verified = do("verify", "tiny", "--rows", "400")
    new = make_rows(120, seed=1).drop(columns="outcome")
    new.to_csv(tmp_path / "new.csv", index=False)
    scores = Path(do("score", "tiny", "--source", str(tmp_path / "new.csv"))["scores"]["path"])
    watched = do("monitor", "tiny")["drift"]

    assert trained["promotion"]["champion"] == "1"
    assert trained["metrics"]["test_roc_auc"] > 0.9  # by the ratio, which no column tells
    found = {one["name"]: one for one in verified["environments"]}
    for name in ("scikit-learn pipeline", "ONNX predictor", "bentoml serve"):
        assert (found[name]["state"], found[name]["why"]) == ("equal", "")
    predictor = load_predictor(Path(trained["bento"]["path"]) / "src")
    record = new.iloc[3].to_dict()
    served = np.array([predictor.contract.encode(record)], dtype=np.float32)
    problem = make_problem(**changes)
    assert served.tobytes() == encode_rows(new.iloc[3:4], problem).tobytes()
    assert served[0, -2:].tolist() == [
        np.float32(record["exposure"] / record["base"]),
        float(np.digitize(record["age"], [40, 65])),
    ]
    answers = pd.read_parquet(scores / "part-00000.parquet")
    assert len(answers) == len(new)
    (answer,) = predictor.predict([record])
    assert answers["probability_ill"][3] == pytest.approx(answer.probability["ill"], abs=1e-9)
    assert watched["verdict"] in {"ok", "watch", "need_labels"}
    (card,) = (home / "reports" / "cards").glob("*.html")
    assert "odds = exposure / base; old = bins(age, [40, 65])" in card.read_text("utf-8")
