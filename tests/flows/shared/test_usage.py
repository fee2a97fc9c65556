"""What a command line's own words answer, before anything slow is imported."""

import importlib
import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest
from prefect import Flow

from flows.shared.usage import FLOWS, WRONG, _find_story, _read_parameters, answer_usage

DECLARED = sorted(path.stem for path in FLOWS.glob("*.py") if _find_story(path) is not None)


def test_most_flows_are_answered_early() -> None:
    assert {"pipeline", "train", "ingest", "monitor", "score"} <= set(DECLARED)


@pytest.mark.parametrize("name", DECLARED)
def test_what_is_read_of_a_flow_is_its_own_signature(name: str) -> None:
    module = importlib.import_module(f"flows.{name}")
    story = _find_story(FLOWS / f"{name}.py")
    assert story is not None
    flow = getattr(module, story.name)
    assert isinstance(flow, Flow)

    read = _read_parameters(story)

    own = inspect.signature(flow.fn).parameters.values()
    missing = inspect.Parameter.empty
    assert [one.name for one in read] == [one.name for one in own]
    assert [one.is_required for one in read] == [one.default is missing for one in own]
    assert [one.default for one in read if not one.is_required] == [
        one.default for one in own if one.default is not missing
    ]


def test_help_and_unknown_options_are_answered_and_all_else_is_left(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert answer_usage("flows.train", ["--help"]) == 0
    assert "--test-size FLOAT" in capsys.readouterr().out
    assert answer_usage("flows.train", ["tiny", "--tset-size=secret"]) == WRONG
    told = capsys.readouterr().err
    assert told.startswith("error: --tset-size: no such option; wanted one of: --folds, --help, ")
    assert "secret" not in told

    for words in (
        ["tiny", "--folds", "3", "--no-smoke", "--test-size=0.3"],
        ["tiny", "--source", "--odd-name"],
        ["--", "--odd-problem"],
        [],
    ):
        assert answer_usage("flows.train", words) is None
    for module in ("flows.snapshots", "flows.release"):  # these have words of their own
        assert answer_usage(module, ["--help"]) is None
    assert answer_usage("flows.nothing", ["--help"]) is None


def test_help_imports_nothing_slow(tmp_path: Path) -> None:
    own = {"PYTHONPROFILEIMPORTTIME": "1", "DRIFTLINE_HOME": str(tmp_path / "home")}

    done = subprocess.run(
        [sys.executable, "-m", "flows.train", "--help"],
        env=os.environ | own,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.startswith("Usage: python -m flows.train [OPTIONS] PROBLEM\n\nTrain on")
    assert "flows.shared.usage" in done.stderr
    for name in ("prefect", "pydantic", "pandas"):
        assert f"| {name}\n" not in done.stderr
    assert not (tmp_path / "home").exists()
