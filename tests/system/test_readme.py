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
LONG_SECONDS = 300
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


@pytest.fixture(scope="module")
def served(env: dict[str, str]) -> Iterator[None]:
    """`make run`, and `make serve` until the tests are over."""
    subprocess.run(["make", "run"], cwd=ROOT, env=env, check=True, timeout=LONG_SECONDS)
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


@pytest.mark.parametrize("command", [c for c in commands() if c not in {RUN_BY_CI, STAYS}])
@pytest.mark.usefixtures("served")
def test_a_command_of_the_readme_runs(command: str, env: dict[str, str]) -> None:
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env=env,
        check=False,
        capture_output=True,
        text=True,
        timeout=LONG_SECONDS,
    )

    assert done.returncode == 0, done.stderr[-800:]
    assert "Traceback" not in done.stdout + done.stderr


def test_ci_runs_the_readmes_test_command() -> None:
    assert RUN_BY_CI in commands()
    assert RUN_BY_CI in (ROOT / ".ci/run").read_text().splitlines()
