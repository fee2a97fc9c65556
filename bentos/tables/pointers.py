"""Where the tables of joins lie in a store, and the pointer that says which content one has now.

They lie below `serving/`, which whoever serves may read anyway. A table is named by the digest of
its content and never changes; a pointer is written in one step when its table is there.
"""

import json
import re
from dataclasses import asdict, dataclass

from bentos.takeover.content import ContentError
from bentos.takeover.trust import Trust, sign_table

SHELF = "serving/lookups"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class TablePointer:
    """Which content the table of a join has, and who says so."""

    problem: str
    join: str
    sha256: str
    signature: str = ""  # by the shared key

    @property
    def name(self) -> str:
        """The table's name in a folder of tables, and what is signed by it."""
        return f"{self.problem}/{self.join}.npz"

    def signed(self, key: str) -> "TablePointer":
        """The same with the signature of a shared key; without one where there is no key."""
        signature = sign_table(self.name, self.sha256, key)
        return TablePointer(self.problem, self.join, self.sha256, signature)

    def check(self, trust: Trust, bundle: bytes) -> None:
        """Refuse a table that does not bear each signature that is wanted."""
        trust.check_table(self.name, self.sha256, signature=self.signature, bundle=bundle)


def pointer_in_store(problem: str, join: str) -> str:
    """What says to every machine which content a join's table has."""
    return f"{SHELF}/{problem}/{join}.json"


def tables_in_store(problem: str, join: str) -> str:
    """The folder of the contents that a join's table has had."""
    return f"{SHELF}/{problem}/{join}"


def table_in_store(pointer: TablePointer) -> str:
    """Where in the store a table lies."""
    return f"{tables_in_store(pointer.problem, pointer.join)}/{pointer.sha256}.npz"


def signature_in_store(pointer: TablePointer) -> str:
    """Where in the store the signature of a table lies that the owner of a key made."""
    return f"{tables_in_store(pointer.problem, pointer.join)}/{pointer.sha256}.sig"


def format_table_pointer(pointer: TablePointer) -> bytes:
    """A pointer as JSON."""
    return json.dumps(asdict(pointer)).encode()


def parse_table_pointer(content: bytes, problem: str, join: str) -> TablePointer:
    """Read what `format_table_pointer` wrote; `ContentError` where it names no table of the join.

    Problem and join are those of the caller, whatever the pointer says: they become paths.
    """
    try:
        raw = json.loads(content)
        told = [raw[name] for name in ("problem", "join", "sha256", "signature")]
    except (ValueError, LookupError, TypeError, RecursionError):
        told = []
    sha256, signature = told[2:] or ("", "")
    if told[:2] != [problem, join] or not isinstance(signature, str):
        message = "the pointer cannot be read; wanted JSON that names the join and its table"
        raise ContentError(message)
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        message = "the pointer names no SHA-256 of its table; package the champion anew"
        raise ContentError(message)
    return TablePointer(problem, join, sha256, signature)
