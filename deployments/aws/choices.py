"""What is chosen when the templates are written: which stacks, and which Lambda archive."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

STACKS = ("serverless", "service", "loop", "monitoring", "machine")
ARCHIVE_MADE_BY = "python -m flows.package breast_cancer --lambda-zip --lambda-python 3.13"
ANY_ARCHIVE = "0" * 64  # of the templates in this folder, which are of no archive in particular


class ChoiceError(ValueError):
    """An option that cannot be meant as it stands."""


@dataclass(frozen=True)
class Choices:
    """The stacks to write, and the SHA-256 of the archive that the Lambda runs."""

    stacks: tuple[str, ...]
    archive_sha256: str = ANY_ARCHIVE

    @property
    def archive_key(self) -> str:
        """Where the archive lies in its bucket; another archive has another key."""
        return f"lambda/{self.archive_sha256}.zip"


def choose(stacks: str, archive: str) -> Choices:
    """The choices that options make; a wrong one is a `ChoiceError` that says what was wanted."""
    chosen = tuple(dict.fromkeys(name.strip() for name in stacks.split(",") if name.strip()))
    unknown = [name for name in chosen if name not in STACKS]
    if unknown or not chosen:
        raise ChoiceError(f"--stacks: got {stacks!r}, wanted some of: {', '.join(STACKS)}")
    if "serverless" not in chosen:
        return Choices(chosen)
    return Choices(chosen, _digest(archive, chosen))


def _digest(archive: str, chosen: Sequence[str]) -> str:
    others = ",".join(name for name in chosen if name != "serverless") or "service,loop"
    ways_out = f"such as `{ARCHIVE_MADE_BY}` makes, or --stacks {others}"
    if not archive:
        raise ChoiceError(f"--archive: missing; wanted the zip of the Lambda, {ways_out}")
    path = Path(archive)
    if not path.is_file() or path.suffix != ".zip":
        raise ChoiceError(f"--archive: got {archive}, wanted a zip that is there, {ways_out}")
    return hashlib.sha256(path.read_bytes()).hexdigest()
