"""A small table as a file holds it, and as it is read."""

from pathlib import Path

import pandas as pd

TEXT = "age,level\n40,0.5\n50,\n"
ROWS = pd.DataFrame({"age": ["40", "50"], "level": ["0.5", ""]})


def write(folder: Path, name: str, content: bytes) -> str:
    (folder / name).write_bytes(content)
    return str(folder / name)
