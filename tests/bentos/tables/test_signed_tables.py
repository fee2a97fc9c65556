"""With a key only tables that it signed are fetched."""

from dataclasses import replace
from pathlib import Path

import pytest

from bentos.tables.bringing import Bringer
from bentos.tables.lookups import table_path
from bentos.tables.pointers import (
    TablePointer,
    format_table_pointer,
    pointer_in_store,
    table_in_store,
)
from bentos.takeover.content import digest
from driftline.contract import Contract
from tests.bentos.tables.shelved import LATER, NEW, OLD, SECONDS, Shelf, level_in
from tests.bentos.takeover.shelving import Clock

KEY = "k" * 32


@pytest.mark.parametrize("signed_with", ["", "o" * 32])
def test_with_a_key_only_what_it_signed_is_fetched(
    shelf: Shelf,
    contract: Contract,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    signed_with: str,
) -> None:
    monkeypatch.setenv("DRIFTLINE_SIGNING_KEY", KEY)
    clock = Clock()
    bringer = Bringer(shelf, tmp_path, seconds=SECONDS, clock=clock)
    pointer = shelf.put(OLD, key=signed_with)
    del shelf[table_in_store(pointer)]

    trouble = bringer.look(contract)
    assert trouble is not None
    assert "not signed with DRIFTLINE_SIGNING_KEY" in trouble.why
    shelf.put(NEW, key=KEY)
    clock.seconds = LATER
    assert bringer.look(contract) is None
    assert level_in(tmp_path, contract) == 2.5


def test_a_signature_is_of_one_join_s_table_alone(
    shelf: Shelf, contract: Contract, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRIFTLINE_SIGNING_KEY", KEY)
    other = TablePointer("tiny", "drugs", digest(NEW)).signed(KEY)
    forged = replace(shelf.put(NEW), signature=other.signature)
    shelf[pointer_in_store("tiny", "labs")] = format_table_pointer(forged)

    assert Bringer(shelf, tmp_path, seconds=SECONDS).look(contract) is not None
    assert not table_path(tmp_path, "tiny", "labs").exists()
