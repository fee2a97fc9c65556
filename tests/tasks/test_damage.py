"""What a person is told of a SQLite file that is damaged."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, inspect, text

from bentos.log.database import migrate, open_engine
from driftline.errors import DataError
from tasks.reaching import naming_outages

NOT_A_DATABASE = b"SQLite format 3\0" + b"damaged" * 1000


def damage_middle(path: Path) -> None:
    """Overwrite pages of a sound database, as a disk may."""
    content = bytearray(path.read_bytes())
    content[4096 : len(content) - 4096] = b"\xff" * (len(content) - 8192)
    path.write_bytes(content)


def read(engine: Engine) -> None:
    """What a task does: bring the tables up to date, and ask."""
    migrate(engine, attempts=1)
    with engine.connect() as connection:
        connection.execute(text("SELECT count(*) FROM predictions"))


@pytest.mark.parametrize("kind", ["no database", "a damaged one"])
def test_a_damaged_database_is_named_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    path = tmp_path / "predictions.db"
    monkeypatch.setenv("DRIFTLINE_DATABASE_URL", f"sqlite:///{path}")
    engine = open_engine(f"sqlite:///{path}")
    if kind == "no database":
        path.write_bytes(NOT_A_DATABASE)
    else:
        migrate(engine)
        engine.dispose()
        damage_middle(path)

    with (
        pytest.raises(DataError, match=r"predictions.db: is damaged; bring it back"),
        naming_outages(),
    ):
        read(engine)


def test_a_damaged_database_of_mlflow_is_named_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told apart by who asked."""
    path = tmp_path / "mlflow.db"
    path.write_bytes(NOT_A_DATABASE)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{path}")
    asked_by_mlflow = compile("list(inspect(engine).get_table_names())", "mlflow", "exec")
    engine = create_engine(f"sqlite:///{path}")
    names = {"__name__": "mlflow.store", "engine": engine, "inspect": inspect}

    with pytest.raises(DataError, match=r"mlflow.db: is damaged"), naming_outages():
        exec(asked_by_mlflow, names)  # noqa: S102 - our own words, as if in MLflow
