"""`make`'s set-up of a checkout that was interrupted in it, or whose environment has broken."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import ROOT

pytestmark = pytest.mark.system

PACKAGE = "six"  # small; the lock of a whole checkout would take minutes
SECONDS = 300.0
READY = ".venv/.ready"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The Makefile, and a lock of one package out of the real one."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    found = re.search(rf"(?m)^{PACKAGE}==.*\n(?:    .*\n)+", lock)
    assert found is not None
    (tmp_path / "requirements.lock").write_text(found[0], encoding="utf-8")
    shutil.copyfile(ROOT / "Makefile", tmp_path / "Makefile")
    return tmp_path


def make(checkout: Path, *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        ["make", READY, *words],
        cwd=checkout,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def assert_set_up(checkout: Path) -> None:
    """The next `make` ends well, and leaves what is locked, ready to be used."""
    process = make(checkout)
    told, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, told
    python = checkout / ".venv" / "bin" / "python"
    subprocess.run([python, "-c", f"import {PACKAGE}"], check=True)


@pytest.mark.parametrize("until", ["bin/python", "lib/python*/site-packages/pip", "bin/uv"])
def test_an_interrupted_set_up_is_begun_anew(checkout: Path, until: str) -> None:
    process = make(checkout)
    deadline = time.monotonic() + SECONDS
    while not list((checkout / ".venv").glob(until)):
        assert time.monotonic() < deadline
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (checkout / READY).exists()

    assert_set_up(checkout)


def without_pip(environment: Path) -> None:
    for path in environment.glob("lib/python*/site-packages/pip*"):
        shutil.rmtree(path)
    (environment / ".ready").unlink()


def of_a_python_that_is_gone(environment: Path) -> None:
    for path in (environment / "bin").glob("python*"):
        path.unlink()
        path.symlink_to("/nowhere/python3")


@pytest.mark.parametrize("broken", [without_pip, of_a_python_that_is_gone])
def test_an_environment_that_has_broken_is_made_anew(
    checkout: Path, broken: Callable[[Path], None]
) -> None:
    assert_set_up(checkout)
    broken(checkout / ".venv")

    assert_set_up(checkout)


def test_a_wrong_python_is_refused_before_anything_is_made(checkout: Path) -> None:
    wrong = checkout / "python2"
    wrong.write_text("#!/bin/sh\nexit 1\n")
    wrong.chmod(0o755)

    process = make(checkout, f"PYTHON={wrong}")
    told, _ = process.communicate(timeout=SECONDS)

    assert process.returncode != 0
    assert "no python3 of version 3.11 to 3.13 found" in told
    assert not (checkout / ".venv").exists()
