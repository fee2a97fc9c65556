"""The Lambda archive and image under AWS's own emulator, within a Lambda's limits."""

import base64
import json
import os
import sqlite3
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tasks.shipping import archives
from tasks.verify import environments
from tests.conftest import RunFlow
from tests.support import ROOT, make_problem
from tests.system.limits import archive_in, ask_once, image
from tests.system.packing import Packed

pytestmark = [pytest.mark.system]

NEEDED = {
    "SHA256SUMS",
    "bentos",
    "contract.json",
    "driftline",
    "model.onnx",
    "numpy",
    "numpy.libs",
    "onnxruntime",
    "orjson",
    "psycopg",
    "psycopg_binary",
    "psycopg_binary.libs",
    "pymysql",
    "typing_extensions.py",
}


def test_the_archive_is_small_and_holds_only_what_it_needs(packed: Packed) -> None:
    with zipfile.ZipFile(packed.archive) as archive:
        top = {name.split("/")[0] for name in archive.namelist()}

    assert packed.archive.stat().st_size <= 50e6
    assert {n for n in top if not n.endswith(".dist-info") and n != "__pycache__"} == NEEDED


def test_the_same_champion_gives_the_same_bytes(
    packed: Packed, run_flow: RunFlow, tmp_path: Path
) -> None:
    before = packed.archive.read_bytes()
    kept = tmp_path / "kept.zip"
    packed.archive.rename(kept)

    done = run_flow("package", "tiny", "--lambda-zip", home=packed.home, project=packed.project)

    assert done.returncode == 0, done.stderr
    assert packed.archive.read_bytes() == before


def test_both_versions_of_events_are_answered_like_http(
    packed: Packed, rie: Path, record: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    use_rie(monkeypatch, rie)
    body = json.dumps(record)

    with environments.served_bento(str(packed.bento)) as http:
        wanted = http.ask("POST", "/predict", body.encode())
        refused = http.ask("POST", "/predict", b'{"age": "old"}')
    with environments.lambda_archive(packed.archive) as running:
        second = running.ask("POST", "/predict", body.encode())
        wrong = running.ask("POST", "/predict", b'{"age": "old"}')
    first = in_shell(packed, event={"httpMethod": "POST", "path": "/predict", "body": body})

    assert (wrong.status, wrong.body) == (refused.status, refused.body)
    for answer in (second.body, first["body"]):
        assert without_id(answer) == without_id(wanted.body)


@pytest.mark.container
def test_the_archive_answers_within_the_limits_of_a_lambda(
    packed: Packed, rie: Path, base_image: str, record: dict[str, object], tmp_path: Path
) -> None:
    status, _ = ask_once(archive_in(base_image, packed.archive, tmp_path), rie, record)

    assert status == 200


@pytest.mark.container
def test_the_image_answers_as_a_lambda_within_its_limits(
    packed: Packed, rie: Path, record: dict[str, object]
) -> None:
    status, _ = ask_once(image(packed.image), rie, record)

    assert status == 200


def test_an_event_is_answered_on_this_machine_once_it_is_in_the_database(
    packed: Packed, record: dict[str, object], tmp_path: Path
) -> None:
    event = {
        "version": "2.0",
        "rawPath": "/predict",
        "requestContext": {"http": {"method": "POST"}, "stage": "$default"},
        "body": base64.b64encode(json.dumps(record).encode()).decode(),
        "isBase64Encoded": True,
    }
    database = tmp_path / "log.db"

    answer = in_shell(packed, event=event, database=f"sqlite:///{database}")

    body = json.loads(answer["body"])
    rows = sqlite3.connect(database).execute("SELECT id, label, inputs FROM predictions").fetchall()
    assert answer["statusCode"] == 200
    ((prediction_id, label, inputs),) = rows
    assert (prediction_id, label) == (body["prediction_id"], body["label"])
    assert json.loads(inputs) == record


def test_a_python_that_lambda_does_not_have_is_refused() -> None:
    with pytest.raises(archives.PackagingError, match=r"wanted one of: 3\.11"):
        archives.build_archive.fn(make_problem(), None, "2.7")


def in_shell(packed: Packed, *, event: dict[str, Any], database: str = "") -> dict[str, Any]:
    """What `python -m bentos.lambda_handler event.json` prints."""
    path = packed.home / "event.json"
    path.write_text(json.dumps(event))
    own = {"DRIFTLINE_MODEL_DIR": str(packed.bento / "src"), "DRIFTLINE_DATABASE_URL": database}
    done = subprocess.run(
        [sys.executable, "-m", "bentos.lambda_handler", str(path)],
        cwd=ROOT,
        env=os.environ | own,
        capture_output=True,
        text=True,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def without_id(body: bytes | str) -> dict[str, Any]:
    """An answer without what is new in each."""
    return {name: value for name, value in json.loads(body).items() if name != "prediction_id"}


def use_rie(monkeypatch: pytest.MonkeyPatch, rie: Path) -> None:
    """Let this process find the emulator."""
    from tasks.settings import get_settings

    monkeypatch.setenv("DRIFTLINE_LAMBDA_RIE", str(rie))
    get_settings.cache_clear()
