"""The courier brings the tables of a champion's joins before it, and anew when they change."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from bentos.settings import lookup_folder
from bentos.tables.bringing import has_table
from bentos.tables.lookups import table_path
from bentos.tables.pointers import (
    TablePointer,
    format_table_pointer,
    pointer_in_store,
    table_in_store,
)
from bentos.takeover import courier, shelf
from bentos.takeover.attempts import TABLES, read_trouble
from bentos.takeover.content import digest
from bentos.takeover.courier import Courier
from tests.bentos.tables.test_lookups import LABS, labs
from tests.bentos.takeover import shelving
from tests.bentos.takeover.shelving import Clock, share, tiny_model
from tests.bentos.takeover.test_courier import PAUSE, told

OLD = labs(("7", "2024-03-01", "1.5", "F"))
NEW = labs(("7", "2024-03-15", "2.5", "M"))


@pytest.fixture(autouse=True)
def joining(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bentos of a model of which two fields are looked up, on a machine that has no table."""
    contract, onnx = tiny_model()
    own = replace(contract, joins=(LABS,)), onnx
    monkeypatch.setattr(shelving, "tiny_model", lambda: own)
    monkeypatch.setenv("DRIFTLINE_LOOKUP_DIR", str(machine / "lookups"))


def put(store: Path, content: bytes, named: bytes | None = None) -> None:
    """Have a table in the store, and point at what it should hold."""
    pointer = TablePointer("tiny", "labs", digest(content if named is None else named))
    for name, each in (
        (table_in_store(pointer), content),
        (pointer_in_store("tiny", "labs"), format_table_pointer(pointer)),
    ):
        (store / name).parent.mkdir(parents=True, exist_ok=True)
        (store / name).write_bytes(each)


def table() -> bytes:
    return table_path(lookup_folder(), "tiny", "labs").read_bytes()


def run(store: Path, rounds: int) -> None:
    """So many rounds of a courier."""
    over = iter([False] * rounds + [True])
    courier.run(str(store), "tiny", is_over=lambda _seconds: next(over), tell=told)


def test_a_champion_comes_with_its_tables_and_their_refreshes(machine: Path) -> None:
    store = machine / "store"
    put(store, OLD)
    pointer = share(store, "1")

    run(store, 1)
    assert shelf.read_pointer("tiny") == pointer
    assert table() == OLD
    put(store, NEW)
    run(store, 1)
    assert table() == NEW
    assert read_trouble("tiny" + TABLES) is None


def test_a_new_champion_waits_for_a_table_that_it_cannot_do_without(machine: Path) -> None:
    store, clock = machine / "store", Clock()
    one = Courier(str(store), "tiny", clock=clock, tell=told)
    first = shelving.shelve("1")
    put(store, b"torn", named=NEW)
    second = share(store, "2")

    one.look()
    trouble = read_trouble("tiny")
    assert trouble is not None
    assert (trouble.version, trouble.attempts) == ("2", 1)
    assert trouble.why.startswith("the table of its join 'labs': got SHA-256")
    assert shelf.read_pointer("tiny") == first

    put(store, NEW)
    clock.seconds += PAUSE
    one.look()
    assert shelf.read_pointer("tiny") == second
    assert table() == NEW
    assert read_trouble("tiny") is None


def test_it_does_not_wait_where_a_table_is_here_that_will_do(machine: Path) -> None:
    store = machine / "store"
    put(store, OLD)
    share(store, "1")
    run(store, 1)
    put(store, b"torn", named=NEW)
    second = share(store, "2")

    run(store, 1)

    assert shelf.read_pointer("tiny") == second
    assert table() == OLD
    trouble = read_trouble("tiny" + TABLES)
    assert trouble is not None
    assert trouble.why.startswith("a newer table of the join 'labs': got SHA-256")


def test_the_first_champion_of_a_machine_waits_for_nothing(machine: Path) -> None:
    put(machine / "store", b"torn", named=NEW)
    pointer = share(machine / "store", "1")

    assert courier.fetch(str(machine / "store"), "tiny") == pointer

    assert shelf.read_pointer("tiny") == pointer
    assert not has_table(lookup_folder(), "tiny", LABS)


def test_a_store_of_before_names_no_table_and_the_folder_is_left_alone(machine: Path) -> None:
    path = table_path(lookup_folder(), "tiny", "labs")
    path.parent.mkdir(parents=True)
    path.write_bytes(OLD)
    pointer = share(machine / "store", "1")

    run(machine / "store", 2)

    assert shelf.read_pointer("tiny") == pointer
    assert table() == OLD
    assert read_trouble("tiny" + TABLES) is None


def test_trouble_with_a_table_is_forgotten_once_it_is_here(machine: Path) -> None:
    store, clock = machine / "store", Clock()
    put(store, b"torn", named=NEW)
    share(store, "1")
    courier.fetch(str(store), "tiny")
    tables = courier.TableCourier(partial(courier._read, str(store)), "tiny", clock=clock)
    tables.look()
    assert read_trouble("tiny" + TABLES) is not None

    put(store, NEW)
    clock.seconds = PAUSE
    tables.look()

    assert read_trouble("tiny" + TABLES) is None
    assert table() == NEW
