"""The tables of joins in the store, where services on other machines find them."""

from datetime import UTC, datetime, timedelta

from bentos.tables.pointers import (
    TablePointer,
    format_table_pointer,
    parse_table_pointer,
    pointer_in_store,
    signature_in_store,
    table_in_store,
    tables_in_store,
)
from bentos.takeover.content import ContentError
from driftline.digests import digest_bytes
from driftline.errors import NotFoundError
from tasks.data.files import list_times, locate, read_file, remove_file, write_file
from tasks.progress import tell
from tasks.settings import get_settings, get_signing_key
from tasks.shipping.signatures import sign_table

KEPT = timedelta(days=1)  # of a table that no pointer names: somebody may be fetching it


def share_table(problem: str, join: str, content: bytes) -> None:
    """Have a table in the store and point at it there, where the store is elsewhere.

    What is there is verified, and written anew where it is damaged; tables of before are removed
    once nobody can want them.
    """
    if not get_settings().is_store_elsewhere:
        return
    before = _read_pointer(problem, join)
    pointer = TablePointer(problem, join, digest_bytes(content)).signed(get_signing_key())
    if not _is_whole(pointer):
        write_file(locate(table_in_store(pointer)), content)
    if signature := sign_table(pointer.name, content):
        write_file(locate(signature_in_store(pointer)), signature)
    if pointer != before:
        write_file(locate(pointer_in_store(problem, join)), format_table_pointer(pointer))
        tell(f"join {join}: table in the store (sha256 {pointer.sha256[:12]})")
    _remove_old({each.sha256 for each in (pointer, before) if each is not None}, pointer)


def _read_pointer(problem: str, join: str) -> TablePointer | None:
    """The pointer in the store; one that cannot be used names nothing."""
    try:
        content = read_file(locate(pointer_in_store(problem, join)))
        return parse_table_pointer(content, problem, join)
    except (NotFoundError, ContentError):
        return None


def _is_whole(pointer: TablePointer) -> bool:
    try:
        return digest_bytes(read_file(locate(table_in_store(pointer)))) == pointer.sha256
    except NotFoundError:
        return False


def _remove_old(wanted: set[str], pointer: TablePointer) -> None:
    folder = locate(tables_in_store(pointer.problem, pointer.join))
    ago = datetime.now(UTC) - KEPT
    for name, written_at in list_times(folder).items():
        if name.partition(".")[0] not in wanted and written_at < ago:
            remove_file(f"{folder}/{name}")
