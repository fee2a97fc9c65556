"""Each import rule of `pyproject.toml` refuses code that breaks it.

The offences are made from the rules themselves, so a new rule is tried without a new test.
"""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from itertools import combinations, permutations
from pathlib import Path
from typing import Any

import pytest

from tests.support import ROOT

RULES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
CONTRACTS: list[dict[str, Any]] = RULES["contracts"]
LAYERED = [contract for contract in CONTRACTS if contract["type"] == "layers"]
Offence = tuple[str, str]  # who imports, and what


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of all packages and of the rules, to be broken."""
    for package in RULES["root_packages"]:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract["name"])
def test_a_rule_refuses_every_import_that_it_forbids(
    contract: dict[str, Any], checkout: Path
) -> None:
    offences = list(offences_against(contract))
    for importer, imported in offences:
        add_import(checkout, importer, imported)

    done = lint_imports(checkout)

    assert done.returncode != 0
    assert f"{contract['name']} BROKEN" in done.stdout
    missed = [
        (importer, imported)
        for importer, imported in offences
        if f"{importer} is not allowed to import {imported}:" not in done.stdout
    ]
    assert not missed


@pytest.mark.parametrize(
    "contract",
    [contract for contract in LAYERED if "containers" in contract],
    ids=lambda contract: contract["name"],
)
def test_a_new_room_has_to_be_given_its_place(contract: dict[str, Any], checkout: Path) -> None:
    room = f"{contract['containers'][0]}.attic"
    module_file(checkout, room).write_text('"""A room of which no rule knows."""\n')

    done = lint_imports(checkout)

    assert done.returncode != 0
    assert room in done.stdout + done.stderr


def test_every_package_of_the_checkout_is_under_the_rules() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}

    assert set(RULES["root_packages"]) == packages


def test_tests_of_the_rules_start_no_server() -> None:
    """A task that is called outside of a flow starts Prefect's, for ten seconds of processor."""
    outside = r"^\s*(?:from|import) (?:tasks|flows|bentos|prefect)\b.*"
    texts = {path: path.read_text("utf-8") for path in (ROOT / "tests/unit").glob("*.py")}

    found = {path.name: re.findall(outside, text, re.MULTILINE) for path, text in texts.items()}

    assert {name: imports for name, imports in found.items() if imports} == {}


def offences_against(contract: dict[str, Any]) -> Iterator[Offence]:
    """Every pair of importer and imported that a contract forbids."""
    if contract["type"] == "forbidden":
        for source in contract["source_modules"]:
            yield from ((source, forbidden) for forbidden in contract["forbidden_modules"])
        return
    assert contract["type"] == "layers", "say here what breaks a contract of this type"
    for container in contract.get("containers", [""]):
        prefix = f"{container}." if container else ""
        layers = [[prefix + name for name in rooms(layer)] for layer in contract["layers"]]
        for above, below in combinations(layers, 2):
            yield from ((low, high) for low in below for high in above)
        for layer in layers:
            yield from permutations(layer, 2)


def rooms(layer: str) -> list[str]:
    """The names of one layer, of which none may import another."""
    return [name.strip(" ()") for name in layer.split("|")]


def add_import(checkout: Path, importer: str, imported: str) -> None:
    """Write the offending line at the end of the importer."""
    with module_file(checkout, importer).open("a", encoding="utf-8") as module:
        module.write(f"\nimport {imported}  # noqa\n")


def module_file(checkout: Path, name: str) -> Path:
    """The file of a module, or a package's own."""
    path = checkout.joinpath(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def lint_imports(checkout: Path) -> subprocess.CompletedProcess[str]:
    """import-linter with the copied rules."""
    tool = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [str(tool), "--no-cache", "--no-logo"],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
        env={"COLUMNS": "400", "PATH": ""},
    )
