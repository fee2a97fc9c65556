"""How a bento is built aside: alone on this machine, the same bytes whenever it is built."""

import fcntl
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bentos.takeover.shelf import bentoml_home

DRAFT = ".draft-"
CREATION_TIME = re.compile(r"^(creation_time: ).*$", re.MULTILINE)
LONG_AGO = "1980-01-01T00:00:00+00:00"


def set_time(path: Path, moment: str) -> None:
    """Replace the time of the build: the same content is the same bento on every machine."""
    text = path.read_text(encoding="utf-8")
    path.write_text(CREATION_TIME.sub(rf"\g<1>'{moment}'", text), encoding="utf-8")


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep other builds of this machine out, and remove the drafts of those that were killed."""
    with (bentoml_home() / f".building-{folder.name}").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for draft in folder.glob(f"{DRAFT}*"):
            shutil.rmtree(draft, ignore_errors=True)
        yield
