"""Trainings of one problem at once: one champion, in the journal, the registry and the pointer."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import ForkFlow
from tests.forked import Forks
from tests.support import TINY, file_problem, tiny_rows
from tests.system.watching import Left, Watched

pytestmark = pytest.mark.system


@dataclass(frozen=True)
class Site:
    """The tiny problem, with its rows and with the same rows whose outcome is turned round."""

    forks: Forks
    environment: Callable[..., dict[str, str]]
    folder: Path
    project: Path

    def meet(self, *after: str, second: str) -> list[Left]:
        """Let two trainings meet after each of these tasks of the first."""
        homes = self.folder / "homes"
        env = self.environment(homes / "template", self.project)
        sources = [str(self.project / name) for name in ("rows.csv", second)]
        words = (str(homes), ",".join(after), *sources)
        done = self.forks.run("tests.flows.meeting", *words, env=env, timeout=300)
        lines = [line.split("\t") for line in done.stdout.splitlines() if "\t" in line]
        ends = [(name, first, other) for name, _, first, other in lines]
        assert ends == [(name, "0", "0") for name in after], done.stdout + done.stderr[-3000:]
        return [Left(Path(home)) for _, home, _, _ in lines]


@pytest.fixture
def site(forks: Forks, flow_environment: Callable[..., dict[str, str]], tmp_path: Path) -> Site:
    """The tiny problem, with nothing trained."""
    project = tmp_path / "project"
    source = {"kind": "file", "location": str(project / "rows.csv")}
    file_problem(project, "tiny", TINY, source=source)
    rows = tiny_rows()
    rows.to_csv(project / "rows.csv", index=False)
    rows.assign(outcome=1 - rows["outcome"]).to_csv(project / "turned.csv", index=False)
    return Site(forks, flow_environment, tmp_path, project)


def steps(left: Left) -> list[tuple[str, str | None, str | None]]:
    return [(entry.alias, entry.before, entry.after) for entry in left.entries]


def assert_one_champion(left: Left, version: str) -> None:
    assert left.breaks() == []
    assert left.champion() == version
    pointer = json.loads((left.home / "bentoml" / "serving" / "tiny.json").read_text())
    assert pointer["tag"].startswith(f"tiny:v{version}-")


def test_two_trainings_at_once_leave_one_champion(
    fork_flow: ForkFlow, site: Site, tmp_path: Path
) -> None:
    left = Left(tmp_path / "home")
    where = {"home": left.home, "project": site.project}

    both = [Watched(fork_flow("train", "tiny", "--folds", "3", **where)) for _ in range(2)]
    codes = [each.end() for each in both]

    assert codes == [0, 0], both[0].output + both[1].output
    assert_one_champion(left, left.champion())
    assert [step[0] for step in steps(left)] == ["champion", "challenger"]


def test_a_training_whose_champion_changed_is_judged_against_the_new_one(site: Site) -> None:
    """Else two would be promoted over the same champion, and the second never met the first."""
    (left,) = site.meet("gate", second="rows.csv")

    assert_one_champion(left, "1")
    assert steps(left) == [("champion", None, "1"), ("challenger", None, "2")]
    promotion = left.summary["promotion"]
    assert (promotion["verdict"], promotion["champion"]) == ("rejected", "1")
    assert promotion["comparisons"][-1]["against"] == "champion v1"


def test_a_slow_training_takes_nothing_back(site: Site) -> None:
    """Neither the alias nor the pointer, which the other has given to its own model meanwhile."""
    for left in site.meet("write journal", "build bento", second="turned.csv"):
        assert_one_champion(left, "2")
        assert steps(left) == [("champion", None, "1"), ("champion", "1", "2")]
