import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import TOOLS
from tests.support import ROOT, lacking


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("DRIFTLINE_HOME", "/dev/null/state", "/dev/null/state: cannot be written (Not a dir"),
        ("DRIFTLINE_HOME", "/srv/why?", "DRIFTLINE_HOME: got /srv/why?, wanted a path without"),
        ("DRIFTLINE_PATIENCE_SECONDS", "long", "DRIFTLINE_PATIENCE_SECONDS: Input should be"),
    ],
)
def test_a_setting_that_cannot_be_used_is_a_sentence_at_the_start(
    name: str, value: str, told: str, tmp_path: Path
) -> None:
    environment = os.environ | {"DRIFTLINE_HOME": str(tmp_path), name: value}
    environment.pop("PREFECT_HOME", None)

    done = subprocess.run(
        [sys.executable, "-c", "import flows"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {told}")
    assert done.stderr.count("\n") == 1


def test_what_flows_leave_behind_is_for_their_user_alone(tmp_path: Path) -> None:
    program = (
        "import flows\n"
        "from tasks.data.files import locate, write_file\n"
        "from tasks.log.records import open_records\n"
        "open_records().connect().close()\n"
        "write_file(locate('snapshots', 'a.parquet'), b'rows')\n"
    )
    environment = os.environ | {"DRIFTLINE_HOME": str(tmp_path / "home")}
    environment.pop("PREFECT_HOME", None)
    environment.pop("DRIFTLINE_STORE_URL", None)
    environment.pop("DRIFTLINE_DATABASE_URL", None)
    words = ["/bin/sh", "-c", 'umask 022; exec "$@"', "sh", sys.executable, "-c", program]

    subprocess.run(words, cwd=ROOT, env=environment, check=True)

    left = {path.name: path for path in (tmp_path / "home", *(tmp_path / "home").rglob("*"))}
    assert {"predictions.db", "a.parquet", "snapshots"} <= left.keys()
    assert [name for name, path in left.items() if path.stat().st_mode & 0o077] == []


@pytest.mark.parametrize(
    "words",
    ["flows.train breast_cancer", "deployments.up breast_cancer", "deployments.pages reports"],
)
def test_a_checkout_that_cannot_be_written_is_named_with_the_setting_that_helps(
    words: str,
) -> None:
    """As where it is mounted read-only; the state folder lies in it where nobody says another."""
    mount = 'mount --bind . . && mount -o remount,ro,bind . && cd "$PWD" && exec "$@"'
    own = [] if os.geteuid() == 0 else ["--map-root-user"]
    python = ["sh", "-c", mount, "sh", sys.executable, "-m", *words.split()]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(TOOLS)}

    done = subprocess.run(
        ["unshare", "--mount", *own, *python],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    if done.stderr.startswith(("unshare: ", "mount: ")):
        lacking("the right to mount a folder (unshare --mount)")
    folder = ROOT / ".driftline"
    wanted = "wanted a state folder (DRIFTLINE_HOME) that can be"
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {folder}: cannot be written (")
    assert done.stderr.endswith(f"; {wanted}\n")
    assert done.stderr.count("\n") == 1
