"""The lines that the adopters' workflows run, run in order, on the tiny problem."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.deployments.github.workflows import NAMES, Step, steps_of
from tests.ports import free_ports
from tests.support import ROOT, TINY, file_problem, run_command, tiny_rows

pytestmark = [pytest.mark.system, pytest.mark.long]

NOT_RUN = {  # they install, or need Docker, a registry, a person or GitHub
    "set up",
    "build the image",
    "try the image",
    "log in to the registry",
    "push the image",
    "deploy",
    "publish the release",
}
SMOKE = "ask what is deployed"
GATE = "train, and stop where the gate does not promote"


@pytest.fixture(scope="module")
def env(
    flow_environment: Callable[..., dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """What GitHub and the repository's settings give a job, and a home that outlasts it."""
    root = tmp_path_factory.mktemp("workflows")
    rows = root / "rows.csv"
    file_problem(root, "tiny", TINY, source={"kind": "file", "location": str(rows)})
    tiny_rows().to_csv(rows, index=False)
    home = root / "home"
    given = flow_environment(home=home, project=root)
    files = {name: str(root / name) for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT")}
    state = {
        "DRIFTLINE_STORE_URL": str(root / "store"),
        "DRIFTLINE_DATABASE_URL": f"sqlite:///{home / 'predictions.db'}",
        "MLFLOW_TRACKING_URI": f"sqlite:///{home / 'mlflow.db'}",
    }
    return given | files | state | {"PROBLEM": "tiny"}


def run_steps(
    steps: list[Step], env: dict[str, str], folder: Path
) -> list[tuple[str, subprocess.CompletedProcess[str]]]:
    """Run each as GitHub does: after a failure only what is always to be run."""
    done: list[tuple[str, subprocess.CompletedProcess[str]]] = []
    for step in steps:
        has_failed = any(one.returncode for _, one in done)
        if "run" not in step or step["name"] in NOT_RUN | {SMOKE}:
            continue
        if has_failed and step.get("if") != "always()":
            continue
        done.append((step["name"], run_line(step["run"], env, folder)))
    return done


def run_line(line: str, env: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """One step's line, in a folder that stands for the checkout, where it may write."""
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", line],
        cwd=folder,
        env=env | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the project's environment and packages."""
    folder = tmp_path_factory.mktemp("checkout")
    for path in ROOT.iterdir():
        if path.name not in {".git", ".driftline"}:
            (folder / path.name).symlink_to(path)
    return folder


Done = list[tuple[str, subprocess.CompletedProcess[str]]]


@pytest.fixture(scope="module")
def released(env: dict[str, str], checkout: Path) -> Done:
    """All that runs here of the first version's tag."""
    return run_steps(steps_of("cd"), env, checkout)


def test_a_tag_leads_to_a_champion_with_its_evidence(
    released: Done, env: dict[str, str], checkout: Path
) -> None:
    assert [(name, one.stderr[-800:]) for name, one in released if one.returncode] == []
    names = {path.name for path in (checkout / "release").iterdir()}
    assert names == {"train.json", "evidence.json", "tiny-v1.zip", "notes.md"}
    assert "version=1\n" in Path(env["GITHUB_OUTPUT"]).read_text()
    assert "promoted" in Path(env["GITHUB_STEP_SUMMARY"]).read_text()


@pytest.fixture
def served(released: Done, env: dict[str, str]) -> Iterator[str]:
    """The champion's service, under the address that it is deployed at."""
    assert released
    port = free_ports(1)[0]
    words = [".venv/bin/python", "-m", "bentos.launch", "tiny", "--port", str(port)]
    server = subprocess.Popen(words, cwd=ROOT, env=env, start_new_session=True)
    yield f"http://127.0.0.1:{port}"
    os.killpg(server.pid, signal.SIGTERM)
    server.wait(60)


def test_what_is_deployed_is_asked_for_its_version(
    served: str, env: dict[str, str], checkout: Path
) -> None:
    smoke = next(step["run"] for step in steps_of("cd") if step.get("name") == SMOKE)

    right = run_line(smoke, env | {"SERVICE_URL": served, "VERSION": "1"}, checkout)
    wrong = run_command(
        "deployments.github.smoke", served, "--version", "2", "--seconds", "0", env=env
    )

    assert right.stdout == f"{served}: version 1 answers\n", right.stderr
    assert wrong.returncode == 1
    assert wrong.stderr == f"error: {served}: version 1 answers, wanted 2\n"


@pytest.mark.usefixtures("released")
def test_a_tag_stops_where_the_gate_does_not_promote(env: dict[str, str], checkout: Path) -> None:
    told = Path(env["GITHUB_STEP_SUMMARY"])
    told.unlink()

    done = run_steps(steps_of("cd"), env, checkout)

    assert [name for name, one in done if one.returncode] == [GATE]
    assert done[-1][0] == "tell of train"
    assert "rejected" in told.read_text()


@pytest.mark.usefixtures("released")
@pytest.mark.parametrize("name", ["data", "retrain"])
def test_new_rows_and_a_model_that_is_no_better_are_outcomes(
    name: str, env: dict[str, str], checkout: Path
) -> None:
    done = run_steps(steps_of(name), env, checkout)

    assert [(step, one.stderr[-800:]) for step, one in done if one.returncode] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_job_whose_state_would_be_lost_does_not_begin(
    name: str, env: dict[str, str], checkout: Path
) -> None:
    done = run_steps(steps_of(name)[:1], env | {"DRIFTLINE_STORE_URL": ""}, checkout)

    assert len(done) == 1
    assert done[0][1].returncode != 0
    assert "DRIFTLINE_STORE_URL" in done[0][1].stderr
