"""Tables that change under a running service are taken over whole, or not at all."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bentos.health.parts import Parts
from bentos.predictor import Predictor
from bentos.tables.lookups import LOOKUPS, Lookups, table_path
from bentos.takeover.content import digest
from tests.bentos.models import MARKER
from tests.bentos.tables.test_lookups import LABS, NOW, labs, put


def test_a_table_that_is_refused_is_read_again_only_once_it_changes(
    predictor: Predictor, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = replace(predictor.contract, joins=(LABS,))
    parts, reads = Parts(), list[Path]()
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: (reads.append(path), read(path))[1])
    lookups = Lookups(folder, parts=parts)
    put(folder, b"no table")

    for _ in range(3):
        lookups.look(contract)

    assert len(reads) == 1
    assert parts.read()[LOOKUPS].health == "degraded"
    lookups.look(predictor.contract)  # of a champion without joins
    assert parts.read()[LOOKUPS].health == "up"


def test_a_table_that_changes_is_taken_over_and_a_damaged_one_is_not(
    predictor: Predictor, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="driftline.service")
    contract = replace(predictor.contract, joins=(LABS,))
    parts = Parts()
    lookups = Lookups(folder, parts=parts, clock=lambda: NOW)

    def level() -> Any:
        lookups.look(contract)
        return lookups.complete(contract, {"age": 40, "patient": MARKER})["level"]

    assert level() is None
    put(folder, labs((MARKER, "2024-03-01", "4", "F")))
    assert (level(), level()) == (4.0, 4.0)
    put(folder, b"half of a table")
    assert (level(), level()) == (4.0, 4.0)
    part = parts.read()[LOOKUPS]
    assert (part.health, part.why) == (
        "degraded",
        "the table of the join 'labs': not a table of a join (ValueError)",
    )
    told = [record.getMessage().split(", sha256")[0] for record in caplog.records]
    assert told == [
        "table of the join labs: 4 rows",
        "table of the join labs: 1 rows",
        "the table of the join 'labs': not a table of a join (ValueError)",
    ]
    assert MARKER not in caplog.text


def test_a_table_of_another_model_is_told_by_what_it_lacks(
    predictor: Predictor, folder: Path
) -> None:
    parts = Parts()
    lookups = Lookups(folder, parts=parts, clock=lambda: NOW)
    for fields in (LABS.fields, ("level", "ward"), LABS.fields):
        lookups.look(replace(predictor.contract, joins=(replace(LABS, fields=fields),)))
        part = parts.read()[LOOKUPS]
        wanted = "" if fields == LABS.fields else "the table of the join 'labs': has no 'ward'"
        assert (part.health, part.why) == ("degraded" if wanted else "up", wanted)


def test_a_table_that_is_not_the_listed_one_is_told_and_the_one_before_goes_on(
    folder: Path, caplog: pytest.LogCaptureFixture, predictor: Predictor
) -> None:
    contract, parts = replace(predictor.contract, joins=(LABS,)), Parts()
    listed = {"tiny/labs.npz": digest(table_path(folder, "tiny", "labs").read_bytes())}
    lookups = Lookups(folder, listed=listed, parts=parts, clock=lambda: NOW)
    record = {"age": 40, "patient": "7"}
    lookups.look(contract)
    before = lookups.complete(contract, dict(record))

    put(folder, labs(("7", "2024-03-15", "9.5", "F")))
    lookups.look(contract)

    assert (
        lookups.complete(contract, dict(record)) == before == {"age": 40, "level": 2.5, "sex": "M"}
    )
    assert "is not what SHA256SUMS lists for lookups/tiny/labs.npz" in caplog.text
    assert parts.read()[LOOKUPS].health == "degraded"
