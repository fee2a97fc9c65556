"""What a file is by its first bytes, whatever its name says, and what is wanted in its place."""

import re
import zlib
from typing import IO, Final

from driftline.errors import SourceError

_ENDING = "text, or the ending that says what it is"
_UNPACKED = "the table in it, unpacked, or a folder of tables"
_EXPORTED = "it exported as .parquet or .csv"
_TABLE = "the table itself, as .csv, .xlsx or .parquet"

# what begins so, in words, and what is wanted instead
_SIGNATURES: Final[tuple[tuple[bytes, str, str], ...]] = (
    (rb"PK\x03\x04", "a spreadsheet or a ZIP archive", _ENDING),
    (rb"\xd0\xcf\x11\xe0", "a spreadsheet", _ENDING),
    (rb"\x1f\x8b", "gzip", _ENDING),
    (rb"BZh[1-9]1AY&SY", "bzip2", _ENDING),
    (rb"\xfd7zXZ", "xz", _ENDING),
    (rb"PAR1\x15", "Parquet", _ENDING),
    (rb".{257}ustar(?:\x0000|  \0)", "a tar archive", _UNPACKED),
    (rb"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACKED),
    (rb"Rar!\x1a\x07", "a RAR archive", _UNPACKED),
    (rb"\x28\xb5\x2f\xfd", "Zstandard", "it unpacked, or packed as .gz, .bz2, .xz or .zip"),
    (rb"\x04\x22\x4d\x18", "LZ4", "it unpacked, or packed as .gz, .bz2, .xz or .zip"),
    (rb"\xff\x06\0\0sNaPpY", "Snappy", "it unpacked, or packed as .gz, .bz2, .xz or .zip"),
    (rb"\x1f\x9d", "compress", "it unpacked, or packed as .gz, .bz2, .xz or .zip"),
    (rb"ARROW1\0\0|FEA1\0", "Feather", _EXPORTED),
    (rb"\xff\xff\xff\xff.{3}\0\x10\0\0\0", "a stream of Arrow", _EXPORTED),
    (rb"ORC(?=.*\0)", "ORC", _EXPORTED),  # a column's name too: then no zero byte is near
    (rb"Obj\x01", "Avro", _EXPORTED),
    (rb"SQLite format 3\0", "a database of SQLite", _EXPORTED),
    (rb".{8}DUCK.*\0", "a database of DuckDB", _EXPORTED),
    (rb"\0\x01\0\0Standard (?:Jet|ACE) DB", "a database of Access", _EXPORTED),
    (rb"\x89HDF", "HDF5", _EXPORTED),
    (rb"CDF[\x01\x02\x05]", "NetCDF", _EXPORTED),
    (rb"MATLAB [57]\.\d MAT-file", "a file of MATLAB", _EXPORTED),
    (rb"\x93NUMPY", "an array of NumPy", _EXPORTED),
    (rb"\x80[\x02-\x05][\x95c}\]()]", "a pickle of Python", _EXPORTED),
    (rb"RD[AX][23]\n[AX]\n|X\n\0\0\0[\x02\x03]", "a file of R", _EXPORTED),
    (rb"\0{12}\xc2\xea\x81\x60|HEADER RECORD\*{7}LIB", "a file of SAS", _EXPORTED),
    (rb"\$FL[23]@\(#\)", "a file of SPSS", _EXPORTED),
    (rb"<stata_dta>|[\x69\x6c\x6e-\x73][\x01\x02]\x01\0", "a file of Stata", _EXPORTED),
    (rb"%PDF-", "a PDF", _TABLE),
    (rb"(?i:\s*<!doctype html|\s*<html[\s>])", "a page of the web", _TABLE),
    (
        rb"\x89PNG\r\n|\xff\xd8\xff|GIF8[79]a(?=.*\0)|II\*\0|MM\0\*|RIFF.{4}WEBP",
        "a picture",
        _TABLE,
    ),
)
_PATTERNS: Final = tuple(
    (re.compile(first, re.DOTALL), kind, wanted) for first, kind, wanted in _SIGNATURES
)
HEAD_BYTES = 1024
_PACKINGS: Final = {".gz": b"\x1f\x8b", ".bz2": b"BZh", ".xz": b"\xfd7zXZ", ".zip": b"PK"}


def find_kind(head: bytes) -> str | None:
    """What begins so; None for text, and for what is not known here."""
    found = _find(head)
    return None if found is None else found[0]


def describe_start(file: IO[bytes], *firsts: bytes) -> str | None:
    """How a file begins that should with one of these; None where it does. It is rewound."""
    head = file.read(HEAD_BYTES)
    file.seek(0)
    if head.startswith(firsts):
        return None
    kind = find_kind(head)
    return f"it begins as {kind} does" if kind else "it begins otherwise"


def refuse_other_kind(file: IO[bytes], name: str) -> None:
    """A file whose first bytes are not those of the text that its name says it is."""
    found = _find(file.read(HEAD_BYTES))
    if found is not None:
        kind, wanted = found
        message = f"{name}: begins as {kind} does; wanted {wanted}"
        raise SourceError(message)


def refuse_other_packing(file: IO[bytes], name: str) -> None:
    """A file that is packed in another way than its name says, or not at all. It is rewound."""
    first = next((own for end, own in _PACKINGS.items() if name.lower().endswith(end)), b"")
    if not file.read(len(first)).startswith(first):
        file.seek(0)
        refuse_other_kind(file, name)
    file.seek(0)


def _find(head: bytes) -> tuple[str, str] | None:
    """What begins so, and what is wanted instead: of what is packed, what is in it."""
    for pattern, kind, wanted in _PATTERNS:
        if pattern.match(head):
            inner = _find(_unpack(head)) if kind == "gzip" else None
            return (kind, wanted) if inner is None else (f"{inner[0]} in gzip", inner[1])
    return None


def _unpack(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(head, HEAD_BYTES)
    except zlib.error:
        return b""
