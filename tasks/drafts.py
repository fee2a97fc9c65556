"""Files on this machine that appear whole or not at all, whatever ends the process meanwhile."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A draft to write beside `path`: it takes the path's place when the block has ended well.

    Its content is on the disk by then. A block that fails leaves what was there, and no draft.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        yield draft
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        if error.errno and error.filename is None:  # as where the disk gets full
            error.filename = str(path)
        raise
    finally:
        draft.unlink(missing_ok=True)
