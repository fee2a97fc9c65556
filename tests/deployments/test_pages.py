"""The pages that `make reports`, `make mlflow` and `make prefect` show."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from prometheus_client import CONTENT_TYPE_LATEST

from tasks.data.files import write_file
from tasks.settings import get_settings
from tests.buckets import Bucket
from tests.ports import free_ports
from tests.support import ROOT, stop

GIVE_UP_SECONDS = 120.0
PAGE = b"<!doctype html><p>drift</p>"
Show = Callable[[], httpx.Client]


def pages(*words: str) -> list[str]:
    return [sys.executable, "-m", "deployments.pages", *words]


@pytest.fixture
def show() -> Iterator[Show]:
    """Start the report server with the environment as it is by then; a client of it."""
    with ExitStack() as stack:

        def start() -> httpx.Client:
            [port] = free_ports(1)
            server = subprocess.Popen(pages("reports", "--port", str(port)), cwd=ROOT)
            stack.callback(stop, server)
            client = stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}"))
            deadline = time.monotonic() + GIVE_UP_SECONDS
            while True:
                try:
                    client.get("/drift/none.html")
                except httpx.TransportError:
                    assert server.poll() is None
                    assert time.monotonic() < deadline
                    time.sleep(0.1)
                else:
                    return client

        yield start


def test_reports_of_a_folder_are_listed_and_shown(home: Path, show: Show) -> None:
    (home / "reports" / "drift").mkdir(parents=True)
    (home / "reports" / "drift" / "tiny-v1.html").write_bytes(PAGE)
    (home / "secrets.db").write_text("not for everybody")
    (home / "reports" / "drift" / ".hidden.html").write_bytes(PAGE)

    reports = show()

    assert '<a href="/drift/tiny-v1.html">' in reports.get("/").text
    page = reports.get("/drift/tiny-v1.html")
    assert (page.status_code, page.content) == (200, PAGE)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert reports.head("/drift/tiny-v1.html").headers["content-length"] == str(len(PAGE))
    assert reports.get("/state/tiny/verdicts.json").json() == []
    assert reports.get("/state/tiny/runs.json").headers["content-type"] == "application/json"
    for path in ("/state", "/state/tiny", "/state/tiny/x.json", "/state/Tiny/runs.json"):
        assert reports.get(path).status_code == 404, path
    for path in ("/drift/none.html", "/drift", "/..%2f/secrets.db", "/drift/.hidden.html"):
        assert reports.get(path).status_code == 404, path
    assert reports.get("/drift/%2e%2e%2f%2e%2e%2fsecrets.db").status_code == 404


def test_prometheus_is_told_of_the_loop(home: Path, show: Show) -> None:
    assert home

    told = show().get("/metrics")

    assert told.headers["content-type"] == CONTENT_TYPE_LATEST
    assert "driftline_records_up 1.0\n" in told.text
    assert 'driftline_verdict_state{problem="diabetes",verdict="retrain"} 0.0\n' in told.text


@pytest.mark.s3
def test_reports_of_a_bucket_are_shown(
    s3: Bucket, home: Path, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert home
    monkeypatch.setenv("DRIFTLINE_STORE_URL", f"s3://{s3.name}/reported")
    get_settings.cache_clear()
    write_file(f"s3://{s3.name}/reported/reports/drift/tiny-v1.html", PAGE)

    reports = show()

    assert "/drift/tiny-v1.html" in reports.get("/").text
    assert reports.get("/drift/tiny-v1.html").content == PAGE


@pytest.mark.parametrize("tool", ["reports", "mlflow", "prefect", "ui"])
def test_a_port_in_use_is_one_line(tool: str, home: Path) -> None:
    assert home
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        done = subprocess.run(
            pages(tool, "--port", str(port)),
            cwd=ROOT,
            env=os.environ,
            capture_output=True,
            text=True,
            timeout=GIVE_UP_SECONDS,
            check=False,
        )

    assert done.returncode == 1
    assert done.stderr == (
        f"error: port {port} ({tool}): Address already in use; "
        "stop what listens there, or give another one with --port\n"
    )


def test_mlflow_of_others_is_named_without_its_password() -> None:
    env = os.environ | {"MLFLOW_TRACKING_URI": "https://ann:secret@mlflow.example.org/team"}

    done = subprocess.run(
        pages("mlflow"), cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert "MLFLOW_TRACKING_URI: runs are kept by https://" in done.stderr
    assert "mlflow.example.org/team, whose pages show them" in done.stderr
    assert "secret" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
