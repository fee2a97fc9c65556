"""The database that the service, the monitor and the trainer share, opened once per process."""

from functools import lru_cache

from sqlalchemy import Engine

from bentos.log.database import migrate, open_engine
from tasks.settings import get_settings


@lru_cache(maxsize=4)
def _open(url: str) -> Engine:
    engine = open_engine(url)
    migrate(engine)
    return engine


def open_records() -> Engine:
    """The engine, its tables brought up to date."""
    return _open(get_settings().database)
