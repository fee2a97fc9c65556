"""A command that is forked behaves as one that Python has started."""

import platform
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.forked import Forks
from tests.support import run_command

pytestmark = pytest.mark.system


@pytest.mark.parametrize("words", ["tiny --verify", "tinny", "--nonsense"])
def test_it_says_and_leaves_the_same(
    words: str,
    forks: Forks,
    flow_environment: Callable[..., dict[str, str]],
    project: Path,
    tmp_path: Path,
) -> None:
    started, forked = (
        run("flows.journal", *words.split(), env=flow_environment(tmp_path / name, project))
        for name, run in (("started", run_command), ("forked", forks.run))
    )

    assert (forked.returncode, forked.stderr) == (started.returncode, started.stderr)
    assert forked.stdout == started.stdout
    left = [
        sorted(path.name for path in (tmp_path / name).iterdir()) for name in ("started", "forked")
    ]
    assert left[0] == left[1]


def test_several_run_side_by_side_and_one_that_is_killed_is_told(
    forks: Forks, flow_environment: Callable[..., dict[str, str]], tmp_path: Path
) -> None:
    env = flow_environment(tmp_path / "home")
    served = forks.start("http.server", "0", "--bind", "127.0.0.1", env=env)
    told = forks.start("platform", env=env)

    assert told.wait(60) == 0
    assert told.stdout is not None
    assert told.stdout.read().strip() == platform.platform()
    assert served.poll() is None
    served.kill()
    assert served.wait(60) == -signal.SIGKILL


def test_what_only_a_start_can_tell_is_not_forked(
    forks: Forks, flow_environment: Callable[..., dict[str, str]], tmp_path: Path
) -> None:
    env = flow_environment(tmp_path / "home")

    assert forks.can_run(env)
    assert not forks.can_run(env | {"LD_PRELOAD": "libfaketime.so.1"})
    assert not forks.can_run(env | {"PYTHONPATH": "/elsewhere"})
    assert not forks.can_run(env | {"DRIFTLINE_DASK": "2"})
