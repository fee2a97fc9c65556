"""The folder of evidence: its files beside their digests, and kept in the store as one zip."""

import io as streams
import zipfile
from collections.abc import Mapping
from pathlib import Path

from bentos.takeover.content import write_sums
from driftline.digests import digest_bytes
from tasks.data.files import locate, write_file
from tasks.decorators import io, work

_MOMENT = (1980, 1, 1, 0, 0, 0)  # the same files make the same archive


@work(name="lay out evidence")
def lay_out(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files and their digests into an empty folder."""
    for name, content in files.items():
        (folder / name).write_bytes(content)
    write_sums(folder)


@io(name="keep evidence")
def keep(folder: Path, name: str) -> tuple[str, str]:
    """The folder as a zip in the store: its address and SHA-256."""
    buffer = streams.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.iterdir()):
            archive.writestr(zipfile.ZipInfo(path.name, _MOMENT), path.read_bytes())
    content = buffer.getvalue()
    return write_file(locate("evidence", f"{name}.zip"), content), digest_bytes(content)
