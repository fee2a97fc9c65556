"""In which order a champion is packaged: what it looks up is there before services take it over."""

from pathlib import Path
from typing import Any

import pytest

from bentos.takeover import shelf
from driftline.errors import DriftlineError
from driftline.problem import Problem
from flows import package
from tasks.decorators import without_task_runs
from tasks.shipping import packaging
from tests.support import make_problem

JOIN: dict[str, Any] = {
    "key": "patient",
    "as_of": "visited",
    "at": "taken",
    "fields": ["level", "sex"],
}


def joining(source: Path) -> Problem:
    join = JOIN | {"source": str(source)}
    return make_problem(ignored=["patient", "visited"], joins={"labs": join})


def test_services_are_pointed_at_no_champion_whose_lookups_cannot_be_written(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labs, pointed = home / "labs.csv", list[bool]()

    def pack(spec: Problem) -> tuple[Any, packaging.Bento]:
        pointed.append((home / "lookups" / spec.name).is_dir())
        return None, packaging.Bento("tiny:v1-0123456789ab", str(home), "ab" * 32)

    monkeypatch.setattr(package, "pack_champion", pack)
    with without_task_runs(), pytest.raises(DriftlineError, match=r"labs\.csv"):
        package.serve_champion(joining(labs))
    assert pointed == []
    assert shelf.read_pointer("tiny") is None

    labs.write_text("patient,taken,level,sex\n1,2024-03-01,1.5,F\n")
    with without_task_runs():
        _, bento, lookups = package.serve_champion(joining(labs))

    assert pointed == [True]
    assert bento.tag == "tiny:v1-0123456789ab"
    assert list(lookups) == ["labs"]
