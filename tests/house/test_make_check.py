"""`make check` fails for what any one of its tools finds, in whatever folder it stands."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ROOT

PACKAGES = ("driftline", "bentos", "tasks", "flows", "deployments")
EMPTY = '"""A module of which only the place counts."""\n'
WRONG_TYPE = '\nCOUNT: int = "none"\n'
OFFENCES = {
    "format": ("driftline/offence.py", EMPTY + "\nCOUNT  =  1\n", ""),
    "lint": ("driftline/offence.py", EMPTY + "\nimport os\n", "F401"),
    "types": ("deployments/offence.py", EMPTY + WRONG_TYPE, "deployments/offence.py:3: error"),
    "imports": (
        "driftline/offence.py",
        EMPTY + '\nimport s3fs\n\n__all__ = ["s3fs"]\n',  # of which mypy reads nothing
        "driftline is not allowed to import s3fs",
    ),
}


@pytest.fixture
def skeleton(tmp_path: Path) -> Path:
    """The checkout's folders and configuration, every module emptied, beside a ready `.venv`."""
    for package in PACKAGES:
        for module in (ROOT / package).rglob("*.py"):
            copy = tmp_path / module.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(EMPTY + "".join(remarks(module)))
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "requirements.lock").touch()
    (tmp_path / "ready").touch()
    return tmp_path


def remarks(module: Path) -> list[str]:
    """What a module tells ruff of its place."""
    lines = module.read_text().splitlines(keepends=True)
    found = [line for line in lines if line.startswith("# ruff: noqa: INP001")]
    return ["\n", *found] if found else []


@pytest.fixture(scope="module", autouse=True)
def _types_read_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What mypy knows of the libraries serves all tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MYPY_CACHE_DIR", str(tmp_path_factory.mktemp("mypy")))
        yield


def make_check(skeleton: Path) -> subprocess.CompletedProcess[str]:
    """The target as it stands, with the environment in which the tests run."""
    return subprocess.run(
        ["make", "check", f"VENV={Path(sys.executable).parent.parent}", "READY=ready"],
        cwd=skeleton,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"MAKEFLAGS": "", "COLUMNS": "200"},
    )


def test_code_without_faults_passes(skeleton: Path) -> None:
    done = make_check(skeleton)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("tool", OFFENCES)
def test_what_one_tool_finds_fails_the_check(tool: str, skeleton: Path) -> None:
    place, code, told = OFFENCES[tool]
    (skeleton / place).write_text(code)

    done = make_check(skeleton)

    assert done.returncode != 0
    assert told in done.stdout + done.stderr


def test_types_are_checked_in_every_module(skeleton: Path) -> None:
    modules = list(skeleton.rglob("*.py"))
    for module in modules:
        with module.open("a") as file:
            file.write(WRONG_TYPE)

    done = make_check(skeleton)

    names = {str(module.relative_to(skeleton)) for module in modules}
    assert names == {line.split(":")[0] for line in done.stdout.splitlines() if ": error" in line}
