"""kill -9 of a flow at each boundary of its tasks: the next run puts everything right."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient
from sqlalchemy import text

from bentos.log.database import add_label, insert_predictions, open_engine
from bentos.predictor import load_predictor
from driftline.digests import digest_table
from driftline.journal import Entry, find_breaks
from tests.conftest import RunFlow
from tests.forked import Forks
from tests.support import TINY, file_problem, tiny_rows

pytestmark = pytest.mark.system

LABELS = 300


@dataclass(frozen=True)
class Killed:
    """A run that was killed after a task, and the state folder that the next run left."""

    after: str
    home: Path


@dataclass(frozen=True)
class Site:
    """A project, and the state folder that each run begins with a copy of."""

    run_flow: RunFlow
    forks: Forks
    environment: Callable[..., dict[str, str]]
    folder: Path
    project: Path

    @property
    def template(self) -> Path:
        """The state folder before anything is killed."""
        return self.folder / "homes" / "template"

    def prepare(self, *words: str) -> None:
        """Run a flow in the template."""
        done = self.run_flow(*words, home=self.template, project=self.project)
        assert done.returncode == 0, done.stdout + done.stderr

    def train(self) -> None:
        """Make the first champion."""
        self.prepare("train", "tiny", "--folds", "3")

    def label(self) -> None:
        """Predictions whose true labels say the opposite of what the champion learnt."""
        rows = tiny_rows(LABELS, seed=5)
        predictor = load_predictor(next(self.template.glob("bentoml/bentos/tiny/v1-*/src")))
        records = rows.drop(columns="outcome").astype("object")
        records = records.where(records.notna(), None).to_dict(orient="records")
        logged = [
            {
                "id": f"{place:032x}",
                "problem": "tiny",
                "model_version": "1",
                "answered_at": datetime(2026, 1, 1),  # noqa: DTZ001 - as the log keeps it
                "inputs": json.dumps(record),
                "prediction": answer.prediction,
                "label": answer.label,
                "probabilities": json.dumps(list(answer.probability.values())),
                "confidence": answer.confidence,
                "risk_level": answer.risk_level,
            }
            for place, (record, answer) in enumerate(
                zip(records, predictor.predict(records), strict=True)
            )
        ]
        engine = open_engine(f"sqlite:///{self.template / 'predictions.db'}")
        insert_predictions(engine, logged)
        for row, outcome in zip(logged, rows["outcome"], strict=True):
            add_label(engine, row["id"], "well" if outcome else "ill")
        engine.dispose()

    def kill(self, flow: str, *words: str, after: tuple[str, ...]) -> list[Killed]:
        """Kill a flow when each of these tasks has ended, and run it again to its end."""
        homes = self.template.parent
        env = self.environment(self.template, self.project)
        given = (str(homes), flow, ",".join(after), *words)
        done = self.forks.run("tests.flows.dying", *given, env=env, timeout=840)
        lines = [line.split("\t") for line in done.stdout.splitlines() if "\t" in line]
        ends = [(name, died, again) for name, _, died, again in lines]
        assert ends == [(name, "-9", "0") for name in after], done.stderr[-3000:]
        return [Killed(name, Path(home)) for name, home, _, _ in lines]


@pytest.fixture
def site(
    run_flow: RunFlow,
    forks: Forks,
    flow_environment: Callable[..., dict[str, str]],
    tmp_path: Path,
) -> Site:
    """The tiny problem, with nothing trained."""
    project = tmp_path / "project"
    source = {"kind": "file", "location": str(project / "rows.csv")}
    file_problem(project, "tiny", TINY, source=source)
    tiny_rows(400).to_csv(project / "rows.csv", index=False)
    return Site(run_flow, forks, flow_environment, tmp_path, project)


@pytest.mark.parametrize(
    "after",
    [
        ("log to MLflow", "write journal", "move alias", "build bento"),
        pytest.param(
            ("write snapshot", "register model", "bind contract", "point at bento"),
            marks=pytest.mark.long,
        ),
    ],
    ids=["where most is done", "elsewhere"],
)
def test_the_first_training(site: Site, after: tuple[str, ...]) -> None:
    for each in site.kill("train", "problem=tiny", "folds=3", after=after):
        assert_whole(each)
        assert len(list((each.home / "snapshots").glob("*.parquet"))) == 1


@pytest.mark.parametrize(
    "after",
    [("write journal",), pytest.param(("register model", "move alias"), marks=pytest.mark.long)],
    ids=["where most is done", "elsewhere"],
)
def test_a_training_on_labels(site: Site, after: tuple[str, ...]) -> None:
    site.train()
    site.label()

    for each in site.kill("train", "problem=tiny", "folds=3", after=after):
        assert int(assert_whole(each)) > 1


@pytest.mark.parametrize(
    ("packaging", "rolling_back"),
    [
        (("point at bento",), ("move alias",)),
        pytest.param(("build bento",), ("write journal", "build bento"), marks=pytest.mark.long),
    ],
    ids=["where most is done", "elsewhere"],
)
def test_package_and_rollback(
    site: Site, packaging: tuple[str, ...], rolling_back: tuple[str, ...]
) -> None:
    site.train()
    site.label()
    site.prepare("train", "tiny", "--folds", "3")
    shutil.rmtree(site.template / "bentoml")

    for each in site.kill("package", "problem=tiny", after=packaging):
        assert assert_whole(each) == "2"
    for each in site.kill("rollback", "problem=tiny", after=rolling_back):
        assert assert_whole(each) == "1"  # and not one step further


def assert_whole(killed: Killed) -> str:
    """One champion that serves, a journal that explains it, nothing half-written; its version."""
    home = killed.home
    client = MlflowClient(f"sqlite:///{home / 'mlflow.db'}")
    aliases = {k: str(v) for k, v in client.get_registered_model("tiny").aliases.items()}
    holders = {alias: aliases.get(alias) for alias in ("champion", "challenger")}
    entries = read_entries(home)
    assert find_breaks(entries, holders) == [], killed
    steps = [(entry.alias, entry.before, entry.after) for entry in entries]
    assert [step for step in steps if step[1] == step[2]] == [], killed
    versions = client.search_model_versions("name='tiny'")
    assert len({version.run_id for version in versions}) == len(versions), killed

    champion = holders["champion"]
    assert champion is not None, killed
    pointer = json.loads((home / "bentoml" / "serving" / "tiny.json").read_text())
    assert pointer["tag"].startswith(f"tiny:v{champion}-"), killed
    bentos = [path for path in (home / "bentoml" / "bentos" / "tiny").iterdir() if path.is_dir()]
    assert str(Path(pointer["path"])) in map(str, bentos), killed
    for bento in bentos:
        if not bento.name.startswith("."):
            load_predictor(bento / "src")
            assert (bento / "bento.yaml").exists(), killed

    for snapshot in (home / "snapshots").glob("*.parquet"):
        assert digest_table(pd.read_parquet(snapshot)) == snapshot.stem, killed
    assert not list(home.rglob("*.part")), killed
    assert assert_logged_once(home), killed
    return champion


def read_entries(home: Path) -> list[Entry]:
    """The journal."""
    engine = open_engine(f"sqlite:///{home / 'predictions.db'}")
    with engine.connect() as connection:
        rows = connection.execute(text("select * from journal order by number")).mappings()
        return [Entry(**row) for row in rows]


def assert_logged_once(home: Path) -> bool:
    """Whether each prediction, label, verdict and order has one row."""
    engine = open_engine(f"sqlite:///{home / 'predictions.db'}")
    keys = {"predictions": "id", "labels": "prediction_id", "verdicts": "key", "orders": "key"}
    with engine.connect() as connection:
        return all(
            connection.execute(
                text(f"select count(*) = count(distinct {key}) from {table}")  # noqa: S608
            ).scalar()
            for table, key in keys.items()
        )
