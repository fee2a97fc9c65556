"""Digests of rows and tables that are the same on every machine and library version."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd

GROUP = "(group)"  # the column of what rows belong together, which no model sees
WEIGHT = "(weight)"  # the column of how much each row counts, neither
BESIDE = (GROUP, WEIGHT)
ROWS_AT_ONCE = 100_000  # digested together: of a whole table the copies would be several

# The rows of a table in order, a part at a time: of all columns, or of those that are named
Pieces = Callable[[Sequence[str] | None], Iterable[pd.DataFrame]]


def digest_rows(table: pd.DataFrame) -> list[str]:
    """SHA-256 of each row's values (numbers as float64, the rest as UTF-8 text), as hex.

    Column names, row order and what is `BESIDE` do not enter; equal values give equal digests.
    """
    names = [name for name in table.columns if name not in BESIDE]
    numeric = [name for name in names if pd.api.types.is_numeric_dtype(table[name])]
    textual = [name for name in names if name not in numeric]
    blocks = (table.iloc[i : i + ROWS_AT_ONCE] for i in range(0, len(table), ROWS_AT_ONCE))
    return [digest for block in blocks for digest in _digest_block(block, numeric, textual)]


def _digest_block(table: pd.DataFrame, numeric: list[str], textual: list[str]) -> list[str]:
    numbers = np.ascontiguousarray(table[numeric].to_numpy(dtype="<f8", na_value=np.nan))
    numbers = np.where(np.isnan(numbers), np.nan, numbers + 0.0)  # one nan, and no minus zero
    texts = table[textual].astype("object").where(table[textual].notna(), None)
    cells = texts.to_numpy().tolist() if textual else [[]] * len(table)
    return [
        hashlib.sha256(numbers[i].tobytes() + json.dumps(cells[i]).encode()).hexdigest()
        for i in range(len(table))
    ]


def number_repeats(digests: Sequence[str]) -> list[str]:
    """The same digests, with `:1`, `:2`, ... on the second, third, ... row of equal content."""
    seen: Counter[str] = Counter()
    numbered = []
    for digest in digests:
        count = seen[digest]
        numbered.append(f"{digest}:{count}" if count else digest)
        seen[digest] += 1
    return numbered


def digest_table(table: pd.DataFrame, rows: list[str] | None = None) -> str:
    """SHA-256 of the column names, their kinds and the rows in order, as hex."""
    digest = _begin(table)
    for row in digest_rows(table) if rows is None else rows:
        digest.update(bytes.fromhex(row))
    _add_beside(digest, table.columns, lambda names: [table[list(names or table.columns)]])
    return digest.hexdigest()


def digest_pieces(pieces: Pieces) -> str:
    """The digest that `digest_table` gives of all pieces together, wherever they are cut.

    Each piece has the columns of the first and their kinds, and one is there even without rows.
    What is `BESIDE` is read anew after the rows.
    """
    digest, columns = None, list[str]()
    for piece in pieces(None):
        if digest is None:
            digest, columns = _begin(piece), list(piece.columns)
        for row in digest_rows(piece):
            digest.update(bytes.fromhex(row))
    if digest is None:
        message = "a table without columns has no digest"
        raise ValueError(message)
    _add_beside(digest, columns, pieces)
    return digest.hexdigest()


def _begin(table: pd.DataFrame) -> "hashlib._Hash":
    kinds = [[name, pd.api.types.is_numeric_dtype(table[name])] for name in table.columns]
    return hashlib.sha256(json.dumps(kinds).encode())


def _add_beside(digest: "hashlib._Hash", columns: Iterable[str], pieces: Pieces) -> None:
    """Each column as one list of its texts in JSON, written on from piece to piece."""
    for name in [name for name in BESIDE if name in columns]:
        before = "["
        for piece in pieces([name]):
            texts = json.dumps(piece[name].astype(str).tolist())[1:-1]
            if texts:
                digest.update(f"{before}{texts}".encode())
                before = ", "
        digest.update(b"[]" if before == "[" else b"]")


def digest_columns(table: pd.DataFrame) -> str:
    """SHA-256 of the columns one after the other, names and values, as hex: quick on large tables.

    Tells tables apart as `digest_table` does, and is another digest.
    """
    digest = hashlib.sha256()
    for name in table.columns:
        column = table[name]
        is_number = pd.api.types.is_numeric_dtype(column)
        digest.update(json.dumps([name, is_number, len(column)]).encode())
        if is_number:
            numbers = column.to_numpy(dtype="<f8", na_value=np.nan)
            numbers = np.where(np.isnan(numbers), np.nan, numbers + 0.0)
        else:
            codes, texts = pd.factorize(column)
            digest.update(json.dumps(list(texts), default=str).encode())
            numbers = codes.astype("<i8")
        digest.update(np.ascontiguousarray(numbers).data)
    return digest.hexdigest()


def digest_bytes(content: bytes) -> str:
    """SHA-256 of a file's bytes, as hex."""
    return hashlib.sha256(content).hexdigest()
