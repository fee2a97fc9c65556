"""README and CONTRIBUTING name everything that a person can set, call or see, and nothing else."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import pytest
from packaging.requirements import Requirement
from prometheus_client.parser import text_string_to_metric_families
from pydantic import BaseModel

from bentos.http.metrics import Ledger
from deployments.exporter.families import MEANINGS, PREFIX
from driftline.dataset import draft_contract
from driftline.problem import Problem
from tasks.settings import Settings
from tests.house.documents import (
    BOTH,
    CONTRIBUTING,
    README,
    block,
    rows,
    section,
    sections,
    spans,
    words,
)
from tests.support import ROOT, make_problem

PACKAGES = ("driftline", "bentos", "tasks", "flows", "deployments")
GIVEN = {"name"}  # a problem's name is its file's
Models = list[type[BaseModel]]


def sources(*packages: str) -> Iterator[Path]:
    """The modules of some packages."""
    for package in packages:
        yield from (ROOT / package).rglob("*.py")


def code_of(*packages: str) -> str:
    """The text of these modules."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sources(*packages))


# Problem files


def models_in(annotation: Any) -> Models:
    """The models that a key's value is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    arguments = get_args(annotation)
    if get_origin(annotation) is Annotated:
        arguments = arguments[:1]
    return [model for argument in arguments for model in models_in(argument)]


def keys_below(models: Models) -> set[str]:
    """Every key in the value of a key, however deep."""
    keys: set[str] = set()
    for model in models:
        for name, field in model.model_fields.items():
            keys |= {name} | keys_below(models_in(field.annotation))
    return keys


KEYS = {
    name: keys_below(models_in(field.annotation))
    for name, field in Problem.model_fields.items()
    if name not in GIVEN
}


def own_tables(key: str) -> list[list[str]]:
    """The rows of each section that says that it has the keys of this one."""
    told = [text for text in sections(CONTRIBUTING) if f"keys of `{key}`" in text]
    return [row for text in told for row in rows(text)]


def key_rows() -> dict[str, str]:
    """What the table of a problem file says of each key."""
    table = rows(section(CONTRIBUTING, "A problem file"))
    named = [(cell.split(".")[0].strip("`"), meaning) for cell, meaning, *_ in table]
    return dict(named)


@pytest.mark.parametrize("key", KEYS)
def test_a_key_of_a_problem_file_is_documented_with_all_below_it(key: str) -> None:
    text = key_rows().get(key, "") + "\n" + "\n".join(row[0] for row in own_tables(key))

    assert key in key_rows()
    assert not KEYS[key] - words(text)


def test_no_document_names_a_key_that_no_problem_file_has() -> None:
    tables = {(key, word) for key in KEYS for row in own_tables(key) for word in words(row[0])}
    dotted = {
        (owner, key)
        for span in spans(BOTH)
        if "/" not in span
        for owner, key in re.findall(r"(?<![\w.])([a-z_]+)\.([a-z_]+)\b(?!\()", span)
        if owner in KEYS
    }

    assert set(key_rows()) == set(KEYS)
    assert not {(owner, key) for owner, key in tables | dotted if key not in KEYS[owner]}


# Settings, targets, flows


def settings_in(text: str) -> set[str]:
    """The variables of our own that a text names."""
    return set(re.findall(r"DRIFTLINE_[A-Z0-9]+(?:_[A-Z0-9]+)*", text))


def test_every_setting_is_documented_and_no_other() -> None:
    files = [path for path in (ROOT / "deployments").rglob("*.*") if path.is_file()]
    others = [path.read_text() for path in files if path.suffix not in {".png", ".pyc"}]
    read = settings_in(code_of(*PACKAGES)) | settings_in("\n".join(others))
    declared = {f"DRIFTLINE_{name.upper()}" for name in Settings.model_fields}

    assert read | declared == settings_in(BOTH)


def test_every_target_of_make_is_documented_and_no_other() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    shell = re.findall(r"^make ([a-z][a-z-]*)", README, re.MULTILINE)
    named = {name for span in spans(BOTH) for name in re.findall(r"\bmake ([a-z][a-z-]*)", span)}

    assert targets == named | set(shell)


def test_every_flow_has_its_row_and_no_other() -> None:
    flows = {path.stem for path in (ROOT / "flows").glob("*.py")} - {"__init__"}
    table = {name for row in rows(section(CONTRIBUTING, "Flows")) for name in words(row[0])}
    named = set(re.findall(r"\bflows\.([a-z_]+)", BOTH))

    assert table == flows
    assert named <= flows


# What others are told


def test_every_event_is_documented_and_no_other() -> None:
    events = set(re.findall(r'"(driftline\.[a-z]+\.[a-z_]+)"', code_of("bentos", "tasks")))
    table = {span for row in rows(section(CONTRIBUTING, "Events")) for span in spans(row[0])}

    assert table == events


def test_every_metric_of_the_service_is_documented_and_no_other() -> None:
    text = Ledger(draft_contract(make_problem(), snapshot="0" * 64)).expose()
    shown = {family.name for family in text_string_to_metric_families(text)}
    table = {span for row in rows(section(CONTRIBUTING, "Metrics")) for span in spans(row[0])}
    served = code_of("bentos")

    assert shown <= table
    assert all(name.removeprefix("driftline_") in served for name in table)


def test_every_metric_of_the_loop_is_documented_and_no_other() -> None:
    told = rows(section(CONTRIBUTING, "Metrics of the loop"))

    assert {span for row in told for span in spans(row[0])} == {f"{PREFIX}{n}" for n in MEANINGS}


# The house


def test_every_dependency_has_its_part_and_no_other() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [*declared["project"]["dependencies"], *declared["dependency-groups"]["dev"]]
    for extra in declared["project"].get("optional-dependencies", {}).values():
        wanted += extra
    named = [name for row in rows(section(README, "Parts")) for name in row[0].split(", ")]

    assert sorted(named) == sorted({Requirement(each).name for each in wanted})


def test_the_arrows_are_the_imports_that_there_are() -> None:
    drawn = {
        (importer.strip(), imported.strip())
        for line in block(section(CONTRIBUTING, "Arrows"))
        for importer, _, others in [line.partition("->")]
        for imported in others.split(",")
    }

    assert drawn == {pair for path in sources(*PACKAGES) for pair in imports_of(path)}


def imports_of(path: Path) -> Iterator[tuple[str, str]]:
    """The packages of ours that a module imports, beside its own."""
    own = path.relative_to(ROOT).parts[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        found = {name.split(".")[0] for name in names} & set(PACKAGES) - {own}
        yield from ((own, name) for name in found)


def test_the_tree_shows_every_room_and_no_other() -> None:
    drawn, package = set(), ""
    for line in block(section(CONTRIBUTING, "The house")):
        name = line.split("/")[0]
        if name in PACKAGES:
            package = name
        elif line.startswith("  ") and line.strip():
            drawn.add((package, name.strip()))
    rooms = {
        (package, path.parent.name)
        for package in ("driftline", "bentos", "tasks", "flows")
        for path in (ROOT / package).glob("*/__init__.py")
    }

    assert drawn == rooms


def test_every_file_that_is_named_is_there() -> None:
    named = [span for span in spans(BOTH) if re.fullmatch(r"[a-z][\w/-]+/[\w-]+\.\w+", span)]
    linked = re.findall(r"\]\(([\w./-]+)\)", BOTH)

    assert not [name for name in [*named, *linked] if not (ROOT / name).exists()]


def test_the_list_of_rules_has_each_of_them_once() -> None:
    rules = ROOT / "driftline"
    listed = re.findall(r"`(\w+)`", (rules / "README.md").read_text(encoding="utf-8"))

    assert sorted(listed) == sorted(path.stem for path in rules.glob("[a-z]*.py"))
