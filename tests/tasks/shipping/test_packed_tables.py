"""A function fills fields in from the tables that its archive holds."""

import json
import logging
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bentos.tables.lookups import table_path
from bentos.tables.pointers import pointer_in_store
from driftline.contract import parse_contract
from driftline.errors import PackagingError
from driftline.served import ServedModel
from driftline.timelines import parse_timeline
from tasks.data.files import locate, write_file
from tasks.shipping import archives, lookups
from tasks.shipping.stores import share_table
from tests.bentos.models import write_tiny_model
from tests.bentos.tables.test_lookups import LABS, labs
from tests.buckets import Bucket
from tests.support import ROOT
from tests.system.service import await_that
from tests.tasks.shipping.machines import use_store

SENT = {"age": 40, "patient": "7", "visited": "2024-03-20"}
WHOLE = {"age": 40, "level": 2.5, "sex": "M"}
PROGRAM = """
import json, sys
from bentos.lambda_handler import handler
for body in json.loads(sys.argv[1]):
    answer = handler({"httpMethod": "POST", "path": "/predict", "body": json.dumps(body)})
    print(answer["statusCode"], json.dumps(json.loads(answer["body"]).get("probability")))
"""


FOLLOWING = """
import json, sys
from bentos.lambda_handler import handler
for line in sys.stdin:
    answer = handler({"httpMethod": "POST", "path": "/predict", "body": line})
    told = json.loads(answer["body"])
    print(answer["statusCode"], json.dumps(told.get("probability")), flush=True)
"""
OLD = labs(("7", "2024-03-01", "1.5", "F"), ("7", "2024-03-15", "2.5", "M"))
NEW = labs(("7", "2024-03-15", "-7.5", "F"))


@pytest.fixture
def model(tmp_path: Path) -> ServedModel:
    """The tiny model, of which two fields are looked up."""
    folder = write_tiny_model(tmp_path / "model")
    contract = parse_contract((folder / "contract.json").read_text())
    onnx = (folder / "model.onnx").read_bytes()
    return ServedModel("7", onnx, replace(contract, joins=(LABS,)), frozenset())


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The table of the join on the machine that packs."""
    monkeypatch.setenv("DRIFTLINE_LOOKUP_DIR", str(tmp_path / "lookups"))
    path = table_path(tmp_path / "lookups", "tiny", "labs")
    path.parent.mkdir(parents=True)
    path.write_bytes(OLD)
    return path


def unpacked(model: ServedModel, folder: Path) -> Path:
    """An archive without its packages, as it is laid out where it runs."""
    content = folder / "content"
    content.mkdir()
    archives.write_served(content, model, {name: ROOT / name for name in archives.CODE})
    packed = archives.pack_folder(content, folder / "lambda.zip")
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(folder / "task")
    return folder / "task"


def answers(task: Path, home: Path) -> list[str]:
    """What a process of its own answers, which knows of no folder of tables."""
    env = {name: value for name, value in os.environ.items() if "DRIFTLINE" not in name}
    env |= {"DRIFTLINE_HOME": str(home), "PYTHONPATH": ""}
    env |= {"DRIFTLINE_DATABASE_URL": f"sqlite:///{home / 'log.db'}"}
    words = [sys.executable, "-c", PROGRAM, json.dumps([SENT, WHOLE])]
    done = subprocess.run(words, cwd=task, env=env, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.mark.usefixtures("table")
def test_an_unpacked_archive_fills_fields_in_and_refuses_a_table_that_is_another(
    model: ServedModel, tmp_path: Path
) -> None:
    task = unpacked(model, tmp_path)

    filled, whole = answers(task, tmp_path / "home")
    table_path(task / "lookups", "tiny", "labs").write_bytes(labs(("7", "2024-03-15", "0.5", "F")))
    refused = answers(task, tmp_path / "home")

    assert filled.startswith("200 ")
    assert filled == whole
    assert refused == ["503 null", "503 null"]


def test_a_table_that_was_left_out_and_is_put_there_later_is_not_read(
    model: ServedModel, table: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(lookups, "MOST_PACKED_MEGABYTES", 0.0)
        task = unpacked(model, tmp_path)
    put = table_path(task / "lookups", "tiny", "labs")
    put.parent.mkdir(parents=True)
    put.write_bytes(table.read_bytes())

    missing, whole = answers(task, tmp_path / "home")

    assert missing == "503 null"
    assert whole.startswith("200 ")


def test_a_table_that_is_too_large_is_left_out_and_told(
    model: ServedModel,
    table: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(lookups, "MOST_PACKED_MEGABYTES", table.stat().st_size / 1e6 - 1e-6)

    with caplog.at_level(logging.INFO, logger="driftline"):
        packed = lookups.pack_tables(model)

    assert packed == {}
    assert "join labs: its table of" in caplog.text


def without(field: str) -> bytes:
    """A table that was made for a join which did not fill this field in."""
    table = parse_timeline(labs(("7", "2024-03-01", "1.5", "F")))
    columns = {name: values for name, values in table.columns.items() if name != field}
    return replace(table, columns=columns).to_bytes()


@pytest.mark.parametrize("kept", [b"", b"not a table", without("sex")])
def test_a_table_that_would_fill_nothing_in_is_not_packed(
    model: ServedModel, table: Path, kept: bytes
) -> None:
    table.write_bytes(kept)

    with pytest.raises(PackagingError, match=r"wanted the table of the join 'labs' of version 7"):
        lookups.pack_tables(model)


def test_a_table_that_is_not_there_is_an_error_that_names_it(
    model: ServedModel, table: Path
) -> None:
    table.unlink()

    with pytest.raises(PackagingError, match=r"labs.npz: got No such file.*join 'labs'"):
        lookups.pack_tables(model)


@contextmanager
def following(task: Path, home: Path, **settings: str) -> Iterator[Callable[[dict[str, Any]], str]]:
    """A sandbox that lives on between requests, which are asked of it one after the other."""
    env = {name: value for name, value in os.environ.items() if "DRIFTLINE" not in name}
    env |= {"DRIFTLINE_HOME": str(home), "PYTHONPATH": "", "TMPDIR": str(home.parent)}
    env |= {"DRIFTLINE_DATABASE_URL": f"sqlite:///{home.parent / 'log.db'}"} | settings
    env |= {"AWS_LAMBDA_FUNCTION_NAME": "tiny", "DRIFTLINE_LOOKUP_SECONDS": "1"}
    command = [sys.executable, "-c", FOLLOWING]
    with subprocess.Popen(
        command, cwd=task, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as sandbox:
        assert sandbox.stdin is not None
        assert sandbox.stdout is not None
        metrics: list[str] = []

        def ask(record: dict[str, Any]) -> str:
            print(json.dumps(record), file=sandbox.stdin, flush=True)
            for line in sandbox.stdout or ():
                if not line.startswith("{"):
                    return line.strip()
                metrics.append(line)
            raise AssertionError(metrics)

        ask.metrics = metrics  # type: ignore[attr-defined] # what it told beside its answers
        yield ask
        sandbox.stdin.close()


@pytest.mark.s3
@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("is_packed", [True, False])
def test_a_sandbox_follows_the_tables_of_the_store(
    model: ServedModel,
    s3: Bucket,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    is_packed: bool,
) -> None:
    if not is_packed:
        monkeypatch.setattr(lookups, "MOST_PACKED_MEGABYTES", 0.0)
    task, store = unpacked(model, tmp_path), f"s3://{s3.name}/{tmp_path.name}"
    use_store(store, monkeypatch)
    whole = {"age": 40, "level": -7.5, "sex": "F"}
    with following(task, tmp_path / "home", DRIFTLINE_STORE_URL=store) as ask:
        assert ask(SENT) == (ask(WHOLE) if is_packed else "503 null")
        share_table("tiny", "labs", OLD)
        await_that(lambda: ask(SENT) == ask(WHOLE), 10.0)
        share_table("tiny", "labs", NEW)
        await_that(lambda: ask(SENT) == ask(whole), 10.0)
        assert ask(whole) != ask(WHOLE)
        write_file(locate(pointer_in_store("tiny", "labs")), b"{")
        await_that(lambda: ask(SENT) and "LookupFailures" in "".join(ask.metrics), 10.0)
        assert ask(SENT) == ask(whole)
        share_table("tiny", "labs", OLD)
        await_that(lambda: ask(SENT) == ask(WHOLE), 10.0)


@pytest.mark.usefixtures("table")
def test_a_sandbox_whose_store_is_away_goes_on_with_what_was_packed(
    model: ServedModel, tmp_path: Path
) -> None:
    task = unpacked(model, tmp_path)
    away = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ACCESS_KEY_ID": "a"}
    away |= {"AWS_SECRET_ACCESS_KEY": "b", "DRIFTLINE_STORE_URL": "s3://bucket/prefix"}

    with following(task, tmp_path / "home", **away) as ask:
        assert ask(SENT) == ask(WHOLE)
        assert ask(SENT).startswith("200 ")
        assert "LookupFailures" in "".join(ask.metrics)


@pytest.mark.usefixtures("table")
def test_beside_a_store_too_only_what_is_listed_is_taken_of_what_is_packed(
    model: ServedModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(lookups, "MOST_PACKED_MEGABYTES", 0.0)
        task = unpacked(model, tmp_path)
    put = table_path(task / "lookups", "tiny", "labs")
    put.parent.mkdir(parents=True)
    put.write_bytes(NEW)
    (tmp_path / "store").mkdir()

    with following(task, tmp_path / "home", DRIFTLINE_STORE_URL=str(tmp_path / "store")) as ask:
        assert ask(SENT) == "503 null"
        assert ask(WHOLE).startswith("200 ")
