import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bentos.settings import spool_folder, state_folder
from driftline.errors import SettingsError
from tasks.data.onboarding import place_of_source
from tasks.settings import Settings, _check_home, prepare_environment
from tests.conftest import TOOLS
from tests.permissions import bound_by_permissions
from tests.support import ROOT, lacking


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("DRIFTLINE_HOME", "/dev/null/state", "/dev/null/state: cannot be written (Not a dir"),
        (
            "DRIFTLINE_STORE_URL",
            "s3://",
            "DRIFTLINE_STORE_URL: got 's3://', wanted a folder, or s3",
        ),
        ("DRIFTLINE_STORE_URL", "s3:///models", "DRIFTLINE_STORE_URL: got 's3:///models', wanted"),
        ("DRIFTLINE_STORE_URL", "gs://u:pw@x/y", "DRIFTLINE_STORE_URL: got 'gs://***@x/y', wanted"),
        ("PREFECT_HOME", "/dev/null", "/dev/null: cannot be written (/dev/null: is a file)"),
        ("DRIFTLINE_HOME", "/srv/why?", "DRIFTLINE_HOME: got /srv/why?, wanted a path without"),
        ("DRIFTLINE_PATIENCE_SECONDS", "long", "DRIFTLINE_PATIENCE_SECONDS: Input should be"),
    ],
)
def test_a_setting_that_cannot_be_used_is_a_sentence_at_the_start(
    name: str, value: str, told: str, tmp_path: Path
) -> None:
    tools = {k: v for k, v in os.environ.items() if k != "PREFECT_HOME"}
    environment = tools | {"DRIFTLINE_HOME": str(tmp_path), name: value}

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


@pytest.mark.parametrize(
    "name", ["runs", "snapshots", "artifacts", "journal", "reports", "prefect", "bentoml"]
)
def test_a_file_in_place_of_a_folder_of_state_is_told_before_anything_is_done(
    name: str, tmp_path: Path
) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(TOOLS)}
    (tmp_path / name).write_text("a file")

    done = subprocess.run(
        [sys.executable, "-c", "import flows"],
        cwd=ROOT,
        env=environment | {"DRIFTLINE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {tmp_path / name}: ")
    assert f"{tmp_path / name}: is a file" in done.stderr
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
    ("value", "folder"),
    [
        ("", "{here}/.driftline"),
        ("~", "{own}"),
        ("~/state of ours", "{own}/state of ours"),
        ("~nobody-here/a", "{here}/~nobody-here/a"),
    ],
)
def test_a_state_folder_is_the_same_for_flows_and_the_service_however_it_is_named(
    value: str, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a file of variables names it, which no shell has read; empty is not set."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "own"))
    monkeypatch.setenv("DRIFTLINE_HOME", value)
    monkeypatch.setenv("DRIFTLINE_SPOOL_DIR", value and f"{value}/spool")
    monkeypatch.setenv("DRIFTLINE_PROJECT_DIR", value)

    settings = Settings()

    wanted = Path(folder.format(here=tmp_path, own=tmp_path / "own"))
    assert settings.home.absolute() == state_folder() == wanted
    assert spool_folder() == wanted / "spool"
    assert settings.project_dir.absolute() == (wanted if value else ROOT)


def test_a_source_in_the_users_own_folder_is_named_by_its_whole_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    assert place_of_source("~/rows.csv") == str(tmp_path / "rows.csv")


def test_mlflow_begins_in_whatever_folder_it_is_started(tmp_path: Path) -> None:
    """It writes that folder into a statement, unless it is told where artifacts lie."""
    folder = tmp_path / 'o\'d "quoted" :one'
    folder.mkdir()
    program = (
        "import flows\n"
        "from tasks.reaching import open_client\n"
        "print(open_client().get_experiment('0').artifact_location)\n"
    )
    environment = os.environ | {"DRIFTLINE_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT)}
    for name in ("MLFLOW_TRACKING_URI", "_MLFLOW_SERVER_ARTIFACT_ROOT", "DRIFTLINE_STORE_URL"):
        environment.pop(name, None)

    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.strip() == (tmp_path / "home" / "artifacts").as_uri() + "/0", done.stderr


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


@pytest.mark.parametrize(("name", "why"), [("a?b", "without '?'"), ("a$HOME", "no variable of a")])
def test_a_state_folder_that_tools_would_read_as_another_is_refused(
    name: str, why: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match=re.escape(why)):
        _check_home(tmp_path / name)

    _check_home(tmp_path / "a $ b")
    assert [path.name for path in tmp_path.iterdir()] == ["a $ b"]


@pytest.mark.parametrize(("values", "threads"), [(1_999_999, 1), (2_000_000, 3)])
def test_small_work_takes_one_thread_and_a_large_fit_those_that_are_set(
    values: int, threads: int, tmp_path: Path
) -> None:
    program = (
        "import flows, numpy, scipy.linalg, sklearn.ensemble, threadpoolctl\n"
        "from tasks.models.threads import threads_for\n"
        f"with threads_for({values}):\n"
        "    print({pool['num_threads'] for pool in threadpoolctl.threadpool_info()})\n"
    )
    own = {"DRIFTLINE_HOME": str(tmp_path), "DRIFTLINE_THREADS": "3"}
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    }

    told = subprocess.check_output(
        [sys.executable, "-c", program], cwd=ROOT, env=environment | own, text=True
    )

    assert told == f"{{{threads}}}\n"


@pytest.mark.parametrize(
    "name",
    ["mlflow.db", "predictions.db", "prefect/prefect.db", "snapshots", "journal", "bentoml"],
)
@pytest.mark.parametrize("mode", [0o000, 0o444])
def test_state_that_this_user_may_not_write_is_told_before_anything_is_computed(
    name: str, mode: int, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read-only database of MLflow was met when all candidates were fitted."""
    for tool in ("MLFLOW_TRACKING_URI", "BENTOML_HOME", "PREFECT_HOME"):
        monkeypatch.delenv(tool, raising=False)
    path = home / name
    path.parent.mkdir(exist_ok=True)
    path.touch() if name.endswith(".db") else path.mkdir()
    path.chmod(mode)

    with bound_by_permissions(), pytest.raises(SettingsError) as raised:
        prepare_environment()
    path.chmod(0o700)

    wanted = "access denied; wanted one that this user may read and write (DRIFTLINE_HOME)"
    assert str(raised.value) == f"{path}: {wanted}"
