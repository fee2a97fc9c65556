"""A server of a run's own: what its end at its start leaves a person with."""

import subprocess
import sys
from pathlib import Path

from tests.conftest import QUIET, without_tools
from tests.support import ROOT


def test_a_server_that_cannot_start_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "prefect" / "prefect.db").mkdir(parents=True)  # where its database would lie
    env = without_tools() | QUIET | {"DRIFTLINE_HOME": str(tmp_path)}

    done = subprocess.run(
        [sys.executable, "-m", "flows.ingest", "breast_cancer"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert done.stderr.startswith("error: Prefect's temporary server: ended at its start (")
    assert "unable to open database file" in done.stderr
    assert str(tmp_path / "prefect" / "temporary-server.log") in done.stderr


ASK = """
import flows
from prefect.settings import get_current_settings
from tasks.server.temporary import end_at_once, start_server, use_server
use_server(start_server())
print(get_current_settings().flows.heartbeat_frequency)
end_at_once()
"""


def test_no_flow_there_waits_for_its_heart_to_stop(tmp_path: Path) -> None:
    env = without_tools() | QUIET | {"DRIFTLINE_HOME": str(tmp_path)}

    done = subprocess.run(
        [sys.executable, "-c", ASK], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )

    assert done.stdout == "None\n", done.stderr
