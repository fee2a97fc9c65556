"""What ends a start with a sentence, and who may read what is written after it."""

import os
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bentos.health.start import check_port, check_spool, keep_temporary, protect_state
from bentos.settings import SettingError
from tests.ports import free_ports
from tests.support import ROOT


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state folder to be; the process's mask is put back."""
    monkeypatch.setenv("DRIFTLINE_HOME", str(tmp_path / "home"))
    before = os.umask(0o022)
    yield tmp_path / "home"
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def written(home: Path) -> tuple[int, int]:
    """Modes of a folder and a file that are made now."""
    (home / "folder").mkdir(parents=True)
    (home / "folder" / "file").write_text("x")
    return mode(home / "folder"), mode(home / "folder" / "file")


def test_state_is_for_its_user_alone(home: Path) -> None:
    protect_state(home)

    assert written(home) == (0o700, 0o600)
    assert mode(home) == 0o700


def test_a_state_folder_that_others_could_read_is_closed(home: Path) -> None:
    home.mkdir(mode=0o755)

    protect_state(home)

    assert mode(home) == 0o700


def test_a_state_folder_that_is_shared_with_its_group_stays_so(home: Path) -> None:
    home.mkdir()
    home.chmod(0o2775)

    protect_state(home)

    assert mode(home) == 0o2770
    assert written(home) == (0o2770, 0o660)


def test_a_spool_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")

    with pytest.raises(SettingError, match=r"file/spool: cannot be written \(Not a directory\)"):
        check_spool(blocked / "spool", "DRIFTLINE_HOME")


def test_a_read_only_spool_is_told(tmp_path: Path) -> None:
    if os.geteuid() == 0:  # root may write what is for reading alone, but not on such a disk
        words = ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(tmp_path)]
        subprocess.run(words, check=True)
    else:
        tmp_path.chmod(0o500)
    try:
        with pytest.raises(SettingError, match=r"cannot be written.*DRIFTLINE_SPOOL_DIR"):
            check_spool(tmp_path / "spool", "DRIFTLINE_SPOOL_DIR")
    finally:
        if os.geteuid() == 0:
            subprocess.run(["umount", str(tmp_path)], check=True)
        else:
            tmp_path.chmod(0o700)


def test_a_spool_that_can_be_written_is_left_empty(tmp_path: Path) -> None:
    check_spool(tmp_path / "spool", "DRIFTLINE_SPOOL_DIR")

    assert list((tmp_path / "spool").iterdir()) == []


def test_what_killed_processes_left_is_removed_and_ours_is_made_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    (tmp_path / "tmp" / "client-left").mkdir(parents=True)
    (tmp_path / "tmp" / "other").mkdir()

    keep_temporary(tmp_path / "tmp", "client-")

    assert [path.name for path in (tmp_path / "tmp").iterdir()] == ["other"]
    assert tempfile.gettempdir() == str(tmp_path / "tmp")


def test_where_nothing_can_be_made_temporary_files_go_where_they_went(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    (tmp_path / "tmp").write_text("a file")
    before = tempfile.gettempdir()

    keep_temporary(tmp_path / "tmp", "client-")

    assert tempfile.gettempdir() == before


def test_a_port_in_use_is_named_with_a_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(SettingError, match=f"port {port} of 127.0.0.1: .*another port with -p"):
            check_port("127.0.0.1", port, option="-p")


def test_a_free_port_stays_free() -> None:
    (port,) = free_ports(1)

    check_port("127.0.0.1", port, option="-p")

    check_port("127.0.0.1", port, option="-p")


def test_serving_on_a_port_in_use_is_one_sentence(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        words = [sys.executable, "-m", "bentos.launch", "breast_cancer", "--port", port]

        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: port {port} of 127.0.0.1: ")
    assert "make serve PORT=" in line
    assert mode(home) == 0o700
