"""What waits in the spool: whether a prediction does, and how much for how long."""

import time
from pathlib import Path

import orjson

from bentos.log.spool import SpoolWriter, find_in_spool, measure_spool
from tests.bentos.log.spooling import columns

LINE = b'{"id":"a"}\n'


def test_a_line_is_found_while_it_waits(tmp_path: Path, writer: SpoolWriter) -> None:
    writer.append(LINE)

    assert find_in_spool(tmp_path, "a")
    assert not find_in_spool(tmp_path, "b")
    assert not find_in_spool(tmp_path / "nothing", "a")


def test_each_line_of_a_batch_is_found_by_its_ids_and_by_nothing_else_in_it(
    tmp_path: Path, writer: SpoolWriter
) -> None:
    for ids in (("a", "b"), ("c",)):
        writer.append(orjson.dumps(columns(*ids)) + b"\n")

    found = [
        name
        for name in ("a", "b", "c", "d", "ill", "high", "tiny")
        if find_in_spool(tmp_path, name)
    ]

    assert found == ["a", "b", "c"]


def test_the_spool_is_measured_in_bytes_and_age(tmp_path: Path, writer: SpoolWriter) -> None:
    before = measure_spool(tmp_path, time.time())

    writer.append(LINE)

    waiting, oldest = measure_spool(tmp_path, time.time() + 10)
    assert before == (0, 0.0)
    assert waiting == len(LINE)
    assert 10 <= oldest < 20
