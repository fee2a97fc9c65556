import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from deployments.github import outcome
from tasks.data.files import write_file

SUMMARY = {"flow": "evidence", "problem": "tiny", "run_id": "1", "model": {"version": "3"}}


@pytest.fixture
def left(home: Path) -> dict[str, object]:
    """A summary that a flow has left, and the archive that it names."""
    address = write_file(f"{home}/evidence/tiny-v3.zip", b"packed")
    summary = {**SUMMARY, "evidence": {"path": address, "is_signed": False}}
    write_file(f"{home}/runs/evidence-tiny-latest.json", json.dumps(summary).encode())
    return summary


def ask(*words: str) -> Result:
    import typer

    app = typer.Typer()
    app.command()(outcome.main)
    return CliRunner().invoke(app, words)


@pytest.mark.usefixtures("left")
def test_one_value_is_printed_alone() -> None:
    assert ask("tiny", "evidence", "--only", "model.version").output == "3\n"


def test_the_outcome_is_markdown_and_its_files_are_kept(
    left: dict[str, object], tmp_path: Path
) -> None:
    done = ask("tiny", "evidence", "--into", str(tmp_path / "release"))

    assert done.output.startswith("### evidence\n\n| what | how it went |")
    assert (tmp_path / "release" / "tiny-v3.zip").read_bytes() == b"packed"
    assert json.loads((tmp_path / "release" / "evidence.json").read_text()) == left


@pytest.mark.usefixtures("left")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("tiny", "train"), "wanted train of tiny to have come to an outcome here"),
        (("tiny", "evidence", "--only", "model.tag"), "got model.tag, and this summary has no tag"),
    ],
)
def test_what_is_not_there_is_named(words: tuple[str, ...], message: str) -> None:
    done = ask(*words)

    assert done.exit_code == 1
    assert message in done.stderr
