"""What the shipper sets aside, and what it ships all the same."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine

from bentos.log.shipper import ship
from bentos.log.spool import count_aside, list_segments
from tests.bentos.log.spooling import columns, entry, ids_in, spooled


def test_what_the_database_refuses_is_set_aside_and_does_not_stop_the_others(
    engine: Engine, spool: Path
) -> None:
    """In its own segment, and in those that are shipped in the same transaction."""
    spooled(spool, entry("a"), entry("b") | {"problem": None}, entry("c"))
    spooled(spool, entry("d") | {"problem": None}, entry("e", "f"))
    spooled(spool, entry("g"))

    shipped = ship(engine, spool)

    assert shipped == 4
    assert sorted(ids_in(engine)) == ["a", "c", "e", "f", "g"]
    assert list_segments(spool) == []
    assert [each["predictions"][0]["id"] for each in lines_aside(spool)] == ["b", "d"]


@pytest.mark.parametrize(
    "line",
    [
        b"null",
        b"3",
        b"[]",
        b"{}",
        b'{"torn{"time": 1}',
        orjson.dumps({"problem": "tiny", "predictions": []}),
        orjson.dumps(entry("b") | {"time": 1e30}),
        orjson.dumps(entry("b") | {"time": "yesterday"}),
        orjson.dumps(entry("b") | {"predictions": [{}]}),
        orjson.dumps(entry("b") | {"predictions": None}),
        orjson.dumps(columns("b", "c") | {"columns": {}}),
        orjson.dumps(columns("b", "c") | {"columns": None}),
        orjson.dumps(columns("b", "c", prediction=[1])),
        orjson.dumps(columns("b", "c", inputs=[[1], [1, 2]])),
        orjson.dumps(columns("b", "c", names=[3])),
        orjson.dumps(columns("b", "c", label=["ill", None, "ill"])),
        orjson.dumps(columns("b", "c", confidence=["high", "low"])),
        orjson.dumps(entry("b") | {"problem": {"a": 1}}),
        orjson.dumps(entry("b") | {"version": 7}),
        orjson.dumps({"refused": "r", "time": 1.0}),
        orjson.dumps(
            {
                "refused": "r",
                "time": 1,
                "problem": "p",
                "version": "1",
                "counts": [["a", "b", None]],
            }
        ),
    ],
    ids=range(21),
)
def test_a_line_that_cannot_be_meant_holds_up_nobody(
    engine: Engine, spool: Path, line: bytes
) -> None:
    spooled(spool, entry("a"))
    (path,) = list_segments(spool)
    path.write_bytes(line + b"\n" + path.read_bytes())
    spooled(spool, entry("z"))

    ship(engine, spool)

    assert sorted(ids_in(engine)) == ["a", "z"]
    assert list_segments(spool) == []
    (aside,) = spool.glob("*.damaged")
    assert aside.read_bytes() == line + b"\n"
    assert count_aside(spool) == 1
    assert aside.stat().st_mode & 0o077 == 0


def test_a_number_too_large_for_the_database_is_set_aside(engine: Engine, spool: Path) -> None:
    big = entry("b")
    big["predictions"][0]["prediction"] = 2**63
    spooled(spool, entry("a"), big)

    ship(engine, spool)

    assert ids_in(engine) == ["a"]
    assert count_aside(spool) == 1


def lines_aside(spool: Path) -> list[Any]:
    """What was set aside, in order."""
    paths = sorted(spool.glob("*.damaged"))
    return [orjson.loads(line) for path in paths for line in path.read_bytes().splitlines()]
