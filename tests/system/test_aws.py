"""The stacks are written from their lock, and the Lambda's is deployed onto an emulator of AWS."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import RunFlow
from tests.support import ROOT, TINY, file_problem, lacking, tiny_rows
from tests.system.ministack import STACK, Emulator, running_emulator
from tests.system.servers import start_postgresql

pytestmark = [pytest.mark.system, pytest.mark.long, pytest.mark.postgres]


@dataclass
class Setup:
    """An environment as `make aws` sets it up, beside a checkout's own that is ready already."""

    folder: Path

    def make(self, *words: str) -> subprocess.CompletedProcess[str]:
        """`make aws` with these."""
        given = [f"READY={self.folder / 'ready'}", f"AWS_VENV={self.folder / 'venv'}", *words]
        return subprocess.run(
            ["make", "aws", *given], cwd=ROOT, capture_output=True, text=True, check=False
        )

    def template(self, archive: Path) -> str:
        """The serverless stack's template of an archive."""
        out = self.folder / archive.stem
        done = self.make("STACKS=serverless", f"ARCHIVE={archive}", f"OUT={out}")
        assert done.returncode == 0, done.stdout + done.stderr
        return (out / f"{STACK}.json").read_text(encoding="utf-8")


@dataclass
class Champions:
    """The tiny problem's champions, made and packaged by its own commands."""

    home: Path
    project: Path
    run_flow: RunFlow

    def run(self, *words: str, env: dict[str, str] | None = None) -> None:
        """A command that has to come to a good end."""
        done = self.run_flow(*words, home=self.home, project=self.project, env=env)
        assert done.returncode == 0, done.stdout + done.stderr

    def archive(self) -> Path:
        """The zip of who serves now, under a name of its own."""
        before = {path: path.stat().st_mtime_ns for path in self._zips()}
        self.run("package", "tiny", "--lambda-zip")
        (made,) = (each for each in self._zips() if before.get(each) != each.stat().st_mtime_ns)
        copy = self.project / f"{time.monotonic_ns()}.zip"
        shutil.copyfile(made, copy)
        return copy

    def _zips(self) -> list[Path]:
        return list((self.home / "lambda").glob("*.zip"))


@pytest.fixture(scope="module")
def setup(tmp_path_factory: pytest.TempPathFactory) -> Setup:
    """One for all tests: it takes minutes."""
    if shutil.which("node") is None:
        lacking("node (Debian's package nodejs)")
    made = Setup(tmp_path_factory.mktemp("aws"))
    (made.folder / "ready").touch()
    done = made.make("STACKS=service", f"OUT={made.folder / 'out'}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (made.folder / "out" / "driftline-service.json").is_file()
    return made


@pytest.fixture(scope="module")
def champions(run_flow: RunFlow, tmp_path_factory: pytest.TempPathFactory) -> Champions:
    """A first champion serves."""
    folder = tmp_path_factory.mktemp("champion")
    made = Champions(folder / "home", folder / "project", run_flow)
    source = {"kind": "file", "location": str(made.project / "rows.csv")}
    file_problem(made.project, "tiny", TINY, source=source)
    tiny_rows().to_csv(made.project / "rows.csv", index=False)
    made.run("train", "tiny", "--folds", "3")
    return made


@pytest.fixture
def emulator(setup: Setup) -> Iterator[Emulator]:
    """Anew for each test, since it forgets nothing."""
    log = setup.folder / "ministack.log"
    with running_emulator(setup.folder / "venv/bin/python", log) as running:
        yield running


@contextmanager
def logging_to_postgresql() -> Iterator[str]:
    """A database with the tables of the prediction log, by its URL."""
    from bentos.log.database import migrate, open_engine

    with start_postgresql() as server:
        url = server.create_database()
        migrate(open_engine(url))
        yield url


def test_no_finding_is_without_a_reason_and_the_templates_are_those_of_the_code(
    setup: Setup,
) -> None:
    python, tool = setup.folder / "venv/bin/python", setup.folder / "venv/bin/cfn-lint"
    check = [python, "-m", "deployments.aws.synth", "--check"]
    lint = [tool, "--ignore-checks", "W3005", "--", "deployments/aws/templates/*.json"]  # CDK's own

    for words in (check, lint):
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_post_through_the_api_is_answered_and_logged(
    setup: Setup, champions: Champions, emulator: Emulator
) -> None:
    archive = champions.archive()
    with logging_to_postgresql() as url:
        settings = emulator.keep_settings(url)
        begun = time.monotonic()
        outputs = emulator.deploy(setup.template(archive), archive, SettingsArn=settings)
        key = emulator.read_secret(outputs["KeySecret"])
        status, answer = emulator.ask(outputs["Url"], key)
        seconds = time.monotonic() - begun
        refused, _ = emulator.ask(outputs["Url"], "no such key")
        rows = logged(url)

    print(f"from synth to an answered POST: {seconds:.1f} s")  # noqa: T201 - for who runs the tests with -s
    assert (status, refused) == (200, 401)
    assert rows == [(answer["prediction_id"], answer["label"])]


def logged(url: str) -> list[tuple[Any, ...]]:
    import psycopg

    with psycopg.connect(url) as connection:
        return connection.execute("SELECT id, label FROM predictions").fetchall()


def test_a_new_champion_is_tried_and_takes_over_and_a_rollback_is_told_and_deployed(
    setup: Setup, champions: Champions, emulator: Emulator
) -> None:
    """Who answers, by the version in each answer; the emulator keeps a share and does not draw."""
    topic, queue = emulator.subscribe()
    first = champions.archive()
    champions.run("train", "tiny", "--folds", "3", "--source", turned_round(champions.project))
    second = champions.archive()
    told = emulator.environment | {"DRIFTLINE_NOTIFY_SNS_TOPIC": topic}

    with logging_to_postgresql() as url:
        settings = emulator.keep_settings(url)
        outputs = emulator.deploy(setup.template(first), first, SettingsArn=settings)
        answered = [answering(emulator, outputs)]
        stable, template = outputs["Version"], setup.template(second)
        trial = emulator.deploy(template, second, StableVersion=stable, CanaryWeight="0.25")
        share = routed(emulator)
        answered.append(answering(emulator, trial))
        outputs = emulator.deploy(template, second, StableVersion="")
        answered.append(answering(emulator, outputs))
        champions.run("rollback", "tiny", "--why", "it answers too few", env=told)
        heard = emulator.receive(queue)
        back = champions.archive()
        outputs = emulator.deploy(setup.template(back), back)
        answered.append(answering(emulator, outputs))

    assert answered == ["1", "1", "2", "1"]
    assert share == {trial["Version"]: 0.25}
    (message,) = heard
    assert message["Subject"] == "Driftline, tiny: the model was rolled back"
    assert "why: it answers too few" in message["Message"].splitlines()


def turned_round(project: Path) -> str:
    """Rows in which what meant ill means well: the first champion errs on nearly all of them."""
    rows = tiny_rows(400, seed=1)
    path = project / "turned.csv"
    rows.assign(outcome=1 - rows["outcome"]).to_csv(path, index=False)
    return str(path)


def answering(emulator: Emulator, outputs: dict[str, str]) -> str:
    """The version of the model that answers."""
    status, answer = emulator.ask(outputs["Url"], emulator.read_secret(outputs["KeySecret"]))
    assert status == 200, answer
    return str(answer["model_version"])


def routed(emulator: Emulator) -> dict[str, float]:
    """The share of the calls that the alias gives to a version beside its own."""
    client = emulator.client("lambda")
    (function,) = client.list_functions()["Functions"]
    alias = client.get_alias(FunctionName=function["FunctionName"], Name="live")
    shares: dict[str, float] = alias["RoutingConfig"]["AdditionalVersionWeights"]
    return shares
