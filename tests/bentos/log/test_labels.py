"""Labels in bulk, on SQLite: what one `/feedback` keeps, many at once keep."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from bentos.log.database import add_label, count_labels, insert_predictions, migrate, open_engine
from bentos.log.labels import IDS_PER_QUERY, add_labels
from tests.bentos.log.logged import row


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """A log of two batches of predictions, and one of another problem."""
    made = open_engine(f"sqlite:///{tmp_path / 'log.db'}")
    migrate(made)
    rows = [row(f"{i:04}") for i in range(IDS_PER_QUERY + 10)]
    insert_predictions(made, [*rows, row("other", problem="moods")])
    return made


def test_what_became_of_each_label_is_told_in_order(engine: Engine) -> None:
    add_label(engine, "0001", "ill")
    add_label(engine, "0002", "ill")
    pairs = [("0000", "ill"), ("0001", "ill"), ("0002", "well"), ("nobody", "ill")]
    pairs += [("0000", "ill"), ("0000", "well"), ("other", "ill")]

    outcomes = add_labels(engine, "tiny", pairs)

    wanted = ["added", "same", "different", "unknown", "same", "different", "unknown"]
    assert outcomes == wanted
    assert count_labels(engine, "tiny") == 3


def test_the_same_file_again_changes_nothing(engine: Engine) -> None:
    pairs = [(f"{i:04}", "ill") for i in range(IDS_PER_QUERY + 10)]

    first, second = (set(add_labels(engine, "tiny", pairs)) for _ in range(2))

    assert (first, second) == ({"added"}, {"same"})
    assert count_labels(engine, "tiny") == len(pairs)
