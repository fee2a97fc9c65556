"""Batch scoring through the real command line: each row is answered once, whatever ends a run."""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import create_engine, text

from bentos.predictor import load_predictor
from tests.buckets import Bucket
from tests.conftest import RunFlow, StartFlow
from tests.support import TINY, file_problem, tiny_rows
from tests.system.service import await_that

pytestmark = pytest.mark.system

MANY_ROWS = 401_000
PIECES = 5


@dataclass
class Trained:
    """A champion, and how to score with it."""

    run_flow: RunFlow
    home: Path
    project: Path

    def score(self, *words: str, env: dict[str, str] | None = None) -> dict[str, Any]:
        """The summary of a run."""
        done = self.run_flow("score", "tiny", *words, home=self.home, project=self.project, env=env)
        assert done.returncode == 0, done.stdout + done.stderr
        summary: dict[str, Any] = json.loads((self.home / "runs" / "latest.json").read_text())
        return summary["scores"]

    def parts(self) -> list[Path]:
        """Files of answers in the store."""
        return sorted((self.home / "scores").rglob("part-*.parquet"))

    def log(self) -> list[str]:
        """Ids of the prediction log, those in parts of batches among them."""
        engine = create_engine(f"sqlite:///{self.home / 'predictions.db'}")
        with engine.connect() as connection:
            ids = list(connection.execute(text("select id from predictions")).scalars())
            parts = connection.execute(text("select id, batch, sha256 from parts")).all()
        logged = [name for name in ids if ":" not in name]
        assert sorted(set(ids) - set(logged)) == sorted(part.id for part in parts)
        for name, batch, sha256 in parts:
            file = self.home / "parts" / "tiny" / f"{name.replace(':', '-')}-{sha256}.parquet"
            logged += [f"{batch}-{row}" for row in pd.read_parquet(file)["driftline:row"]]
        return logged


@pytest.fixture(scope="module")
def champion(run_flow: RunFlow, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A champion of the tiny problem."""
    folder = tmp_path_factory.mktemp("champion")
    made = Trained(run_flow, folder / "home", folder / "project")
    file_problem(made.project, "tiny", TINY)
    tiny_rows().to_csv(made.project / "rows.csv", index=False)
    words = ("train", "tiny", "--source", str(made.project / "rows.csv"), "--folds", "3")
    done = run_flow(*words, home=made.home, project=made.project)
    assert done.returncode == 0, done.stdout + done.stderr
    return made


@pytest.fixture
def trained(champion: Trained, tmp_path: Path) -> Trained:
    """The same in a state folder and a project of the test's own."""
    made = Trained(champion.run_flow, tmp_path / "home", tmp_path / "project")
    shutil.copytree(champion.home, made.home)
    shutil.copytree(champion.project, made.project)
    return made


def many_rows(count: int = MANY_ROWS) -> pd.DataFrame:
    return tiny_rows(count, seed=3).drop(columns="outcome")


def test_every_row_is_answered_as_the_service_answers_it(trained: Trained) -> None:
    rows = many_rows(12_345)
    rows.loc[[3, 11_000], "age"] = 500  # beyond its range: refused
    rows.to_csv(trained.project / "new.csv.gz", index=False)
    rows.to_parquet(trained.project / "new.parquet", index=False)

    by_format = {}
    for name in ("new.csv.gz", "new.parquet"):
        scores = trained.score("--source", str(trained.project / name))
        assert (scores["rows"], scores["left_out"]) == (12_343, 2)
        by_format[name] = pd.read_parquet(scores["path"])
        refused = pd.concat(
            map(pd.read_parquet, sorted(Path(scores["path"]).glob("_ref*.parquet")))
        )
        assert refused.to_numpy().tolist() == [
            [3, "age: not between 0 and 120"],
            [11_000, "age: not between 0 and 120"],
        ]
    csv, parquet = by_format.values()
    pd.testing.assert_frame_equal(
        csv.drop(columns="prediction_id"), parquet.drop(columns="prediction_id")
    )
    assert len({*csv["prediction_id"], *parquet["prediction_id"]}) == len(trained.log()) == 24_686
    assert csv["row"].tolist() == [n for n in range(12_345) if n not in {3, 11_000}]

    (bento,) = (trained.home / "bentoml" / "bentos" / "tiny").glob("v1-*")
    predictor = load_predictor(bento / "src")
    some = rows.drop(index=[3, 11_000]).iloc[::500].astype("object")
    answers = predictor.predict(some.where(some.notna(), None).to_dict(orient="records"))
    scored = csv.set_index("row").loc[some.index]
    assert scored["label"].tolist() == [answer.label for answer in answers]
    np.testing.assert_array_equal(
        scored["probability_ill"], [answer.probability["ill"] for answer in answers]
    )


def test_a_killed_run_goes_on_without_a_row_twice(trained: Trained, start_flow: StartFlow) -> None:
    source = trained.project / "many.csv"
    many_rows().to_csv(source, index=False)
    for parts in (1, 3):
        words = ("score", "tiny", "--source", str(source))
        run = start_flow(*words, home=trained.home, project=trained.project)
        await_that(lambda wanted=parts: len(trained.parts()) >= wanted, 120.0)
        run.kill()
        run.communicate()
    trained.parts()[-1].unlink()  # as if killed when its answers were logged and not yet written
    before = {path: path.stat().st_mtime_ns for path in trained.parts()}
    assert 2 <= len(before) < PIECES

    scores = trained.score("--source", str(source))

    table = pd.read_parquet(scores["path"])
    assert scores["rows"] == len(table) == MANY_ROWS
    assert sorted(trained.log()) == sorted(table["prediction_id"])
    assert table["row"].tolist() == list(range(MANY_ROWS))
    assert len(trained.parts()) == PIECES
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert not [path for path in Path(scores["path"]).iterdir() if path.name.endswith(".part")]


def test_memory_does_not_grow_with_the_rows(trained: Trained, start_flow: StartFlow) -> None:
    peaks = []
    for rows in (100_000, 400_000):
        source = trained.project / f"{rows}.csv"
        many_rows(rows).to_csv(source, index=False)
        run = start_flow(
            "score", "tiny", "--source", str(source), home=trained.home, project=trained.project
        )
        _, status, used = os.wait4(run.pid, 0)
        assert status == 0
        peaks.append(used.ru_maxrss / 1024)
    print(f"peak memory {peaks[0]:.0f} and {peaks[1]:.0f} MB")  # noqa: T201
    assert peaks[1] < 1.15 * peaks[0]


def test_scores_of_something_else_are_not_mixed_in(trained: Trained) -> None:
    folder = trained.project / "scores"
    source = trained.project / "new.csv"
    for rows in (300, 200):
        many_rows(rows).to_csv(source, index=False)
        words = ("score", "tiny", "--source", str(source), "--output", str(folder))
        done = trained.run_flow(*words, home=trained.home, project=trained.project)
    assert done.returncode == 1
    assert "holds the scores of problem 'tiny', model_version '1'" in done.stderr
    assert "wanted an empty folder" in done.stderr
    assert len(pd.read_parquet(folder)) == len(trained.log()) == 300


@pytest.mark.parametrize("harm", ["a column missing", "a header only", "cut short"])
def test_a_source_that_cannot_be_scored_leaves_nothing(trained: Trained, harm: str) -> None:
    source = trained.project / "new.parquet"
    rows = many_rows(50)
    if harm == "a column missing":
        rows.drop(columns="level").to_parquet(source)
    else:
        rows.head(0 if harm == "a header only" else 50).to_parquet(source)
    if harm == "cut short":
        source.write_bytes(source.read_bytes()[:-40])
    words = ("score", "tiny", "--source", str(source))
    done = trained.run_flow(*words, home=trained.home, project=trained.project)

    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "new.parquet" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not (trained.home / "scores").exists()


@pytest.mark.s3
def test_a_bucket_to_a_bucket(trained: Trained, s3_server: Bucket) -> None:
    prefix = f"s3://{s3_server.name}/batch"
    env = s3_server.environment
    options = {
        "endpoint_url": s3_server.endpoint,
        "key": env["AWS_ACCESS_KEY_ID"],
        "secret": env["AWS_SECRET_ACCESS_KEY"],
    }
    many_rows(11_000).to_parquet(f"{prefix}/new.parquet", storage_options=options)

    scores = trained.score(
        "--source", f"{prefix}/new.parquet", "--output", f"{prefix}/out", env=env
    )

    assert scores["rows"] == 11_000
    assert len(pd.read_parquet(f"{prefix}/out", storage_options=options)) == 11_000
