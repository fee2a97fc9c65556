"""The written files say what the description says."""

from pathlib import Path

import pytest

from deployments.monitoring import write
from tests.deployments.monitoring.tools import run
from tests.support import ROOT


def main(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["write", *words])
    return write.main()


def test_the_files_of_this_checkout_are_what_the_description_says() -> None:
    assert write.find_stale(write.FOLDER, write.render()) == []


def test_no_file_is_there_that_is_not_written() -> None:
    folders = ("prometheus", "alertmanager", "grafana")
    found = {
        str(path.relative_to(write.FOLDER))
        for folder in folders
        for path in (write.FOLDER / folder).rglob("*")
        if path.is_file()
    }

    assert found == set(write.render())


def test_a_file_that_says_something_else_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(write, "FOLDER", tmp_path)
    told = [main(monkeypatch, "--check"), main(monkeypatch), main(monkeypatch, "--check")]
    (tmp_path / "prometheus" / "rules.yml").write_text("groups: []\n")
    capsys.readouterr()

    told.append(main(monkeypatch, "--check"))

    assert told == [1, 0, 0, 1]
    assert capsys.readouterr().err == (
        "error: deployments/monitoring/prometheus/rules.yml: stale; "
        "wanted what `make monitoring` writes\n"
    )


def test_make_check_asks_whether_they_are_stale() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")

    assert "deployments.monitoring.write --check" in makefile


def test_amtool_takes_the_routing() -> None:
    done = run("amtool", "check-config", "alertmanager/alertmanager.yml", folder=write.FOLDER)

    assert done.returncode == 0, done.stdout + done.stderr
