"""A service on another machine answers from tables of joins that it has by the store alone."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import s3fs

from bentos.tables.pointers import parse_table_pointer, pointer_in_store, table_in_store
from tests.buckets import Bucket
from tests.conftest import StartFlow
from tests.flows.test_joins import make_tables
from tests.support import TINY, file_problem
from tests.system.service import Service, await_that, serving

pytestmark = [pytest.mark.system, pytest.mark.s3]

CARRY_SECONDS = 30.0
PATIENT = {"age": 40, "sex": "F", "patient": 7, "visited": "2024-04-30"}


class Launched(Service):
    """The service as `make serve` starts it: by the problem's name, from an empty disk."""

    def launch(self) -> Any:
        """Start it without waiting for anything."""
        return self.run(["bentos.launch", "tiny", "--port", str(self.port)], {})


def file_joined(project: Path, labs: pd.DataFrame) -> None:
    """A problem of which a field is looked up, and its two tables."""
    join = {"source": str(project / "labs.csv"), "key": "patient", "as_of": "visited"}
    join |= {"at": "taken", "fields": ["level"], "max_age": "90 days"}
    source = {"kind": "file", "location": str(project / "visits.csv")}
    changes: dict[str, Any] = {"ignored": ["patient", "visited"], "joins": {"labs": join}}
    file_problem(project, "tiny", TINY, source=source, **changes)
    labs.to_csv(project / "labs.csv", index=False)


def answer(service: Service, record: dict[str, Any]) -> Any:
    """The probability of what is positive, or the status of a refusal."""
    status, body = service.post("/predict", record)
    return body["probability"]["ill"] if status == 200 else status


def test_tables_and_their_refreshes_come_by_the_store(
    start_flow: StartFlow, s3_server: Bucket, tmp_path: Path
) -> None:
    project, store = tmp_path / "project", f"{s3_server.name}/joined"
    env = s3_server.environment | {"DRIFTLINE_STORE_URL": f"s3://{store}"}
    visits, labs = make_tables()
    file_joined(project, labs)
    visits.to_csv(project / "visits.csv", index=False)
    files = s3fs.S3FileSystem(
        endpoint_url=s3_server.endpoint,
        key=env["AWS_ACCESS_KEY_ID"],
        secret=env["AWS_SECRET_ACCESS_KEY"],
        use_listings_cache=False,
    )

    def run(*words: str) -> None:
        done = start_flow(*words, home=tmp_path / "packages", project=project, env=env)
        told, _ = done.communicate()
        assert done.returncode == 0, told

    def refresh(level: float) -> float:
        """A newer row in the source, packaged on the one machine, and asked for on the other."""
        row = pd.DataFrame({"patient": [7], "level": [level], "taken": ["2024-04-20"]})
        pd.concat([labs, row]).to_csv(project / "labs.csv", index=False)
        run("package", "tiny")
        whole = {"age": 40, "sex": "F", "level": level}
        return float(answer(service, whole))

    run("train", "tiny", "--folds", "3")
    home, database = tmp_path / "serves", f"sqlite:///{tmp_path / 'log.db'}"
    service = Launched(tmp_path, home, database, env | {"DRIFTLINE_LOOKUP_SECONDS": "1"})
    with serving(service):
        assert (home / "lookups/tiny/labs.npz").read_bytes()
        assert isinstance(answer(service, PATIENT), float)
        for level in (0.25, 8.5):
            wanted = refresh(level)
            await_that(lambda w=wanted: answer(service, PATIENT) == w, CARRY_SECONDS)
        assert json.loads(service.get("/readyz"))["parts"]["lookups"]["state"] == "up"

        named = f"{store}/{pointer_in_store('tiny', 'labs')}"
        pointer = parse_table_pointer(files.cat_file(named), "tiny", "labs")
        good = (home / "lookups/tiny/labs.npz").read_bytes()
        files.pipe_file(named, json.dumps(vars(pointer) | {"sha256": "0" * 64}).encode())
        await_that(lambda: "lookups" in degraded(service), CARRY_SECONDS)
        assert "no table that its pointer names" in degraded(service)["lookups"]
        assert answer(service, PATIENT) == wanted
        told = service.get("/metrics")
        assert 'driftline_part_up{part="lookups"} 0' in told
        assert "driftline_lookup_age_seconds" in told
        assert "driftline_lookup_failed_attempts" in told

        run("package", "tiny")
        await_that(lambda: "lookups" not in degraded(service), CARRY_SECONDS)
        assert files.exists(f"{store}/{table_in_store(pointer)}")
    assert (home / "lookups/tiny/labs.npz").read_bytes() == good


def degraded(service: Service) -> dict[str, str]:
    """What is not as it should be, and why."""
    parts = json.loads(service.get("/readyz"))["parts"]
    return {name: part["why"] for name, part in parts.items() if part["state"] != "up"}
