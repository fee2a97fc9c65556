"""The whole loop with nothing on the machines: a bucket, a database server, and empty disks."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import s3fs
from sqlalchemy import create_engine, text

from tests.buckets import Bucket
from tests.support import TINY, file_problem, tiny_rows
from tests.system.servers import DatabaseServer, start_mariadb, start_postgresql
from tests.system.service import Load, Service, await_that, label_reversed, serving

pytestmark = [pytest.mark.system, pytest.mark.s3]

RunFlow = Callable[..., subprocess.CompletedProcess[str]]
SERVERS = {"postgresql": start_postgresql, "mariadb": start_mariadb}
TAKE_OVER_SECONDS = 15.0
LABELS = 400


@dataclass
class Elsewhere:
    """What the machines share, and how one that has nothing else runs a flow."""

    run_flow: RunFlow
    folder: Path
    project: Path
    env: dict[str, str]
    bucket: Bucket

    def run(self, *words: str) -> dict[str, Any]:
        """The summary of a flow on a machine with an empty disk, which is then gone."""
        machine = self.folder / "machine"
        machine.mkdir()  # so that no database is copied into it
        done = self.run_flow(*words, home=machine, project=self.project, env=self.env)
        assert done.returncode == 0, done.stdout + done.stderr
        summary: dict[str, Any] = json.loads((machine / "runs" / "latest.json").read_text())
        assert not (machine / "mlflow.db").exists()
        assert not (machine / "predictions.db").exists()
        shutil.rmtree(machine)
        return summary

    @property
    def files(self) -> s3fs.S3FileSystem:
        """The bucket as a file system."""
        return s3fs.S3FileSystem(
            endpoint_url=self.bucket.endpoint,
            key=self.env["AWS_ACCESS_KEY_ID"],
            secret=self.env["AWS_SECRET_ACCESS_KEY"],
            use_listings_cache=False,
        )


@pytest.fixture(
    params=[
        pytest.param("postgresql", marks=pytest.mark.postgres),
        pytest.param("mariadb", marks=[pytest.mark.mariadb, pytest.mark.long]),
    ]
)
def elsewhere(
    request: pytest.FixtureRequest, run_flow: RunFlow, s3_server: Bucket, tmp_path: Path
) -> Iterator[Elsewhere]:
    """A bucket with the source in it, and a server with a database for us and one for MLflow."""
    with SERVERS[request.param]() as server:
        prefix = f"s3://{s3_server.name}/{request.param}"
        tracking = _with_driver(server)
        env = s3_server.environment | {
            "DRIFTLINE_STORE_URL": f"{prefix}/store",
            "DRIFTLINE_DATABASE_URL": server.create_database(),
            "MLFLOW_TRACKING_URI": tracking,
        }
        project = tmp_path / "project"
        source = {"kind": "file", "location": f"{prefix}/source/rows.csv"}
        file_problem(project, "tiny", TINY, source=source)
        made = Elsewhere(run_flow, tmp_path, project, env, s3_server)
        with made.files.open(f"{prefix}/source/rows.csv", "w") as file:
            tiny_rows(600).to_csv(file, index=False)
        yield made


def _with_driver(server: DatabaseServer) -> str:
    """The URL of a new database in the words of MLflow."""
    url = server.create_database()
    scheme, rest = url.split("://")
    return f"{ {'postgresql': 'postgresql+psycopg', 'mariadb': 'mysql+pymysql'}[scheme] }://{rest}"


class Launched(Service):
    """The service as `make serve` starts it: by the problem's name, from an empty disk."""

    def launch(self) -> "subprocess.Popen[bytes]":
        """Start it without waiting for anything."""
        return self.run(["bentos.launch", "tiny", "--port", str(self.port)], {})


def version_of(service: Service) -> str:
    return str(json.loads(service.get("/model"))["version"])


def test_machines_with_empty_disks_close_the_loop(elsewhere: Elsewhere, tmp_path: Path) -> None:
    first = elsewhere.run("pipeline", "tiny", "--folds", "3")
    assert first["promotion"]["verdict"] == "promoted"
    for address in (first["validation"]["report"], first["drift"]["report"]):
        assert elsewhere.files.exists(address), address

    service = Launched(
        tmp_path, tmp_path / "served", elsewhere.env["DRIFTLINE_DATABASE_URL"], elsewhere.env
    )
    with serving(service):
        assert version_of(service) == "1"
        label_reversed(service, tiny_rows(LABELS, seed=5))
        judged = elsewhere.run("monitor", "tiny")
        assert judged["drift"]["verdict"] == "retrain"

        record = {"age": 61, "level": 1.25, "sex": "F"}
        with Load(service.port, record, clients=4, pause_seconds=0.02) as load:
            trained = elsewhere.run("train", "tiny", "--folds", "3")
            assert trained["promotion"]["verdict"] == "promoted", trained["promotion"]
            await_that(lambda: version_of(service) == "2", TAKE_OVER_SECONDS)
            elsewhere.run("rollback", "tiny")
            await_that(lambda: version_of(service) == "1", TAKE_OVER_SECONDS)
        assert (load.refused, load.broken) == ([], 0)
        assert len(load.ids) > 300

    shutil.rmtree(service.home)
    with serving(service):
        assert version_of(service) == "1"
    assert journal_is_whole(elsewhere)
    assert_no_machine_is_named(elsewhere)


def journal_is_whole(elsewhere: Elsewhere) -> bool:
    """Whether `flows.journal --verify` finds nothing to say on another empty machine."""
    done = elsewhere.run_flow(
        "journal",
        "tiny",
        "--verify",
        home=elsewhere.folder,
        project=elsewhere.project,
        env=elsewhere.env,
    )
    return done.returncode == 0


def assert_no_machine_is_named(elsewhere: Elsewhere) -> None:
    """No path of a machine in what the machines share."""
    engine = create_engine(elsewhere.env["MLFLOW_TRACKING_URI"])
    with engine.connect() as connection:
        places = list(connection.execute(text("select artifact_uri from runs")).scalars())
        places += connection.execute(text("select storage_location from model_versions")).scalars()
        places += connection.execute(text("select source from model_versions")).scalars()
    engine.dispose()
    assert places
    assert [place for place in places if str(elsewhere.folder) in str(place)] == []
