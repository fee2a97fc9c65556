"""What a file is by its first bytes, whatever its name says."""

from typing import IO

from driftline.errors import SourceError

KINDS = {
    b"PK\x03\x04": "a spreadsheet or a ZIP archive",
    b"\xd0\xcf\x11\xe0": "a spreadsheet",
    b"\x1f\x8b": "gzip",
    b"BZh9": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"\x04\x22\x4d\x18": "LZ4",
    b"\xff\x06\x00\x00sNaPpY": "Snappy",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a RAR archive",
    b"PAR1\x15": "Parquet",
    b"%PDF-": "a PDF",
    b"ARROW1\0\0": "Feather",
    b"FEA1\0": "Feather",
    b"ORC": "ORC",
    b"SQLite format 3": "a database of SQLite",
    b"\x89HDF": "HDF5",
    b"<stata_dta>": "a file of Stata",
    b"$FL2@(#)": "a file of SPSS",
    b"$FL3@(#)": "a file of SPSS",
    b"\x93NUMPY": "an array of NumPy",
    b"Obj\x01": "Avro",
    b"\x80\x04\x95": "a pickle",
    b"\x80\x05\x95": "a pickle",
    b"RDX3\n": "a file of R",
    b"X\n\0\0": "a file of R",
}
WORDS = {b"ORC"}  # the beginning of a column's name too: then no zero byte is near
HEAD_BYTES = 512
TAR, TAR_BEGINS = b"ustar", 257  # the mark of a tape archive, and where it stands


def find_kind(head: bytes) -> str | None:
    """What begins so; None for text, and for what is not known here."""
    if head[TAR_BEGINS:].startswith(TAR):
        return "a tar archive"
    known = KINDS.items() if b"\0" in head else ((k, v) for k, v in KINDS.items() if k not in WORDS)
    return next((kind for first, kind in known if head.startswith(first)), None)


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
    kind = find_kind(file.read(HEAD_BYTES))
    if kind is not None:
        message = f"{name}: begins as {kind} does; wanted text, or the ending that says what it is"
        raise SourceError(message)
