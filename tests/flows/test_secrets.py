"""A password and a signature in a source's URL reach nobody but the server that asks for them."""

import base64
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings

from tests.conftest import RunFlow
from tests.support import TINY, file_problem, tiny_rows

pytestmark = pytest.mark.system

PASSWORD, SIGNATURE = "pw-Zq7Zq7Zq7", "sig-Xw9Xw9Xw9"
ROWS = tiny_rows(300).to_csv(index=False).encode()


class Guarded(BaseHTTPRequestHandler):
    """Gives the rows to whoever has both, and sends a lost visitor elsewhere."""

    def do_GET(self) -> None:
        wanted = "Basic " + base64.b64encode(f"user:{PASSWORD}".encode()).decode()
        is_known = self.headers["Authorization"] == wanted and SIGNATURE in self.path
        self.send_response(200 if is_known else 403)
        self.send_header("Content-Length", str(len(ROWS) if is_known else 0))
        self.end_headers()
        if is_known and self.command == "GET":
            self.wfile.write(ROWS)

    do_HEAD = do_GET  # noqa: N815 - the library's name

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def place() -> Iterator[str]:
    """Host and port of a server that asks for user, password and signature."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Guarded)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_password_in_a_source_reaches_no_record(
    run_flow: RunFlow, prefect_api: str, place: str, tmp_path: Path
) -> None:
    home, project = tmp_path / "home", tmp_path / "project"
    file_problem(project, "tiny", TINY)
    source = f"http://user:{PASSWORD}@{place}/rows.csv?sig={SIGNATURE}"
    words = ("train", "tiny", "--folds", "3", "--source", source)

    refused = run_flow(*words, home=home, project=project)
    allowed = {"DRIFTLINE_SOURCES": f"http://{place}"}
    done = run_flow(*words, home=home, project=project, env=allowed)

    assert refused.returncode == 1
    assert "not one of the allowed places" in refused.stderr
    assert done.returncode == 0, done.stdout + done.stderr
    told = [each.stdout + each.stderr for each in (refused, done)]
    told += [path.read_text("latin-1") for path in home.rglob("*") if path.is_file()]
    with (
        temporary_settings({PREFECT_API_URL: prefect_api}),
        get_client(sync_client=True) as client,
    ):
        runs = client.read_flow_runs()
        told += [f"{run.parameters} {run.state}" for run in runs]
    assert any(f"http://***@{place}/rows.csv?sig=***" in text for text in told)
    assert [text[:200] for text in told if PASSWORD in text or SIGNATURE in text] == []


def test_an_error_about_a_source_tells_no_password(
    run_flow: RunFlow, place: str, tmp_path: Path
) -> None:
    file_problem(tmp_path / "project", "tiny", TINY)
    source = f"http://user:wrong-{PASSWORD}@{place}/rows.csv?sig={SIGNATURE}"

    done = run_flow(
        *("ingest", "tiny", "--source", source),
        home=tmp_path / "home",
        project=tmp_path / "project",
        env={"DRIFTLINE_SOURCES": f"http://{place}"},
    )

    assert done.returncode == 1
    assert f"http://***@{place}/rows.csv" in done.stderr
    assert PASSWORD not in done.stdout + done.stderr
    assert SIGNATURE not in done.stdout + done.stderr
