"""Which tables of joins a sandbox of a cloud looks into, and what brings newer ones to it."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from bentos.settings import lookup_folder, lookup_seconds
from bentos.tables.bringing import Bringer
from bentos.tables.lookups import LOOKUPS, Lookups
from bentos.takeover.content import below
from bentos.takeover.shelf import write_whole
from driftline.contract import Contract


def stock(
    folder: Path, listed: Mapping[str, str] | None, contract: Contract
) -> tuple[Lookups, Bringer | None]:
    """Tables: where the environment says, else those of the store, else those packed in a folder.

    Those of the store are laid out beside copies of those packed, which do until they have come.
    """
    packed, store = folder / LOOKUPS, os.environ.get("DRIFTLINE_STORE_URL", "").rstrip("/")
    own = None if listed is None else below(listed, f"{LOOKUPS}/")
    if os.environ.get("DRIFTLINE_LOOKUP_DIR"):
        return Lookups(lookup_folder()), None
    if not store or not contract.joins:
        return (Lookups(packed, listed=own) if packed.is_dir() else Lookups(lookup_folder())), None
    from bentos.tables.bucket import reader  # only where there are tables to bring

    scratch = Path(tempfile.mkdtemp(prefix="driftline-lookups-"))
    _copy(packed, own, scratch)
    return Lookups(scratch), Bringer(reader(store), scratch, seconds=lookup_seconds())


def _copy(packed: Path, listed: Mapping[str, str] | None, scratch: Path) -> None:
    """Copy what was packed, and of that only what is listed, where there is a list.

    That the listed files are those of the list was seen to when the model was loaded.
    """
    found = {path.relative_to(packed).as_posix() for path in packed.rglob("*.npz")}
    for name in found if listed is None else found & listed.keys():
        write_whole(scratch / name, (packed / name).read_bytes())
