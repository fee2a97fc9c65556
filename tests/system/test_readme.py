"""Every command of the README does what it says."""

import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.system

ROOT = Path(__file__).resolve().parents[2]
LONG_SECONDS = 600
MAIN_JOB = "make run"
RUN_BY_CI = "make test"
STAYS = "make serve"


def commands() -> list[str]:
    """The lines of the README's shell blocks, without their comments."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment with a state folder of its own."""
    clean = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("PREFECT_", "BENTOML_", "MLFLOW_"))
    }
    return clean | {"DRIFTLINE_HOME": str(tmp_path_factory.mktemp("readme"))}


def run(command: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env=env,
        check=False,
        capture_output=True,
        text=True,
        timeout=LONG_SECONDS,
    )


@pytest.fixture(scope="module")
def main_job(env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """The README's first command, which the others go on from."""
    assert MAIN_JOB in commands()
    return run(MAIN_JOB, env)


@pytest.fixture(scope="module")
def served(env: dict[str, str], main_job: subprocess.CompletedProcess[str]) -> Iterator[None]:
    """`make serve` until the tests are over."""
    assert main_job.returncode == 0, main_job.stderr[-800:]
    server = subprocess.Popen(STAYS.split(), cwd=ROOT, env=env, start_new_session=True)
    try:
        for _ in range(120):
            ready = subprocess.run(
                ["curl", "-sf", "http://127.0.0.1:3000/readyz"], check=False, capture_output=True
            )
            if ready.returncode == 0:
                break
            time.sleep(0.5)
        yield
    finally:
        os.killpg(server.pid, 15)
        server.wait(30)


def test_the_main_job_ends_with_a_champion(main_job: subprocess.CompletedProcess[str]) -> None:
    assert main_job.returncode == 0, main_job.stderr[-800:]
    assert "promoted" in main_job.stdout
    assert "Traceback" not in main_job.stdout + main_job.stderr


@pytest.mark.parametrize(
    "command", [c for c in commands() if c not in {MAIN_JOB, RUN_BY_CI, STAYS}]
)
@pytest.mark.usefixtures("served")
def test_a_command_of_the_readme_runs(command: str, env: dict[str, str]) -> None:
    done = run(command, env)

    assert done.returncode == 0, done.stderr[-800:]
    assert "Traceback" not in done.stdout + done.stderr


def test_ci_runs_the_readmes_test_command() -> None:
    assert RUN_BY_CI in commands()
    assert RUN_BY_CI in (ROOT / ".ci/run").read_text().splitlines()
