"""A problem with a joined table through the loop: trained, scored and served by the same values."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bentos.api import Api
from bentos.predictor import load_predictor
from bentos.tables.lookups import Lookups
from tests.bentos.asking import ask, read
from tests.bentos.models import KeptLog
from tests.support import TINY, file_problem, tiny_rows

pytestmark = pytest.mark.system

ROWS = 240


def make_tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Visits without a level, and levels before and after each, of which only the one before tells.

    Each visit is of a patient of its own.
    """
    table = tiny_rows(ROWS)
    visited = pd.Timestamp("2024-03-01") + pd.to_timedelta(np.arange(ROWS) % 50, unit="D")
    visits = table.drop(columns="level").assign(patient=range(ROWS), visited=visited.astype(str))
    known = {"patient": visits["patient"], "level": table["level"].fillna(0.5)}
    before = pd.DataFrame({**known, "taken": (visited - pd.Timedelta(days=3)).astype(str)})
    after = before.assign(taken=(visited + pd.Timedelta(days=1)).astype(str), level=9.5)
    return visits, pd.concat([after, before])


def test_what_is_joined_in_training_is_looked_up_in_serving(
    run_flow: Callable[..., Any], tmp_path: Path
) -> None:
    home, project = tmp_path / "home", tmp_path / "project"
    join = {
        "source": str(project / "labs.csv"),
        "key": "patient",
        "as_of": "visited",
        "at": "taken",
        "fields": ["level"],
        "max_age": "1 week",
    }
    source = {"kind": "file", "location": str(project / "visits.csv")}
    changes: dict[str, Any] = {"ignored": ["patient", "visited"], "joins": {"labs": join}}
    file_problem(project, "tiny", TINY, source=source, **changes)
    visits, labs = make_tables()
    visits.to_csv(project / "visits.csv", index=False)
    labs.to_csv(project / "labs.csv", index=False)

    def do(*words: str) -> dict[str, Any]:
        done = run_flow(*words, home=home, project=project)
        assert done.returncode == 0, done.stderr + done.stdout
        found: dict[str, Any] = json.loads((home / "runs" / "latest.json").read_text("utf-8"))
        return found

    trained = do("train", "tiny", "--folds", "3")
    scores = Path(do("score", "tiny")["scores"]["path"])

    assert trained["metrics"]["test_roc_auc"] > 0.75  # which nothing but the level tells
    assert "labs joined (sha256 " in trained["snapshot"]["read_as"]
    answers = pd.read_parquet(scores / "part-00000.parquet")
    assert answers["level"].max() < 9  # nothing from the future
    predictor = load_predictor(Path(trained["bento"]["path"]) / "src")
    lookups = Lookups(home / "lookups")
    lookups.look(predictor.contract)
    api = Api(predictor, KeptLog(), lookups=lookups)
    for row in visits.head(20).to_dict(orient="records"):
        record = {name: row[name] for name in ("age", "sex", "patient", "visited")}
        served = read(ask(api, "/predict", record))["probability"]["ill"]
        assert served == pytest.approx(answers["probability_ill"][row["patient"]], abs=1e-6)
