"""How a text table is written of whose columns no name is known.

By how even its lines are under each separator, a rare one too where it parts all alike; where that
tells nothing, by DuckDB's sniffer.
"""

import csv
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from driftline.reading import RARE_SEPARATORS, SEPARATORS, Reading
from tasks.reading.signs import is_number
from tasks.reading.written import QUOTES, Dialect, read_sample

MOSTLY = 0.9
LEAST_ROWS = 10  # from which on a value that comes again is no name


def find_unnamed(lines: Sequence[str], pinned: Reading) -> Dialect:
    """How lines are written of which no name is known."""
    if pinned.separator:
        found = Dialect(separator=pinned.separator, quote=pinned.quote or QUOTES[0])
    else:
        found = _find_separator(lines) or _find_rare(lines) or _sniff("".join(lines))
    try:
        _, rows = read_sample(lines, replace(found, has_header=False))
    except csv.Error:
        return found
    return replace(found, has_header=not rows or has_header(rows))


def _find_separator(lines: Sequence[str]) -> Dialect | None:
    """By the first line, unless it has so few cells that it is a title; the evenest table of all.

    An uneven table is still one: its lines are refused by their numbers when they are read.
    """
    best, most = None, (0.0, 1)
    for separator in SEPARATORS:
        try:
            widths = [len(row) for row in csv.reader(iter(lines), delimiter=separator) if row]
        except csv.Error:
            continue
        width, usual = (widths[0], Counter(widths).most_common(1)[0][0]) if widths else (0, 0)
        score = (widths.count(width) / max(len(widths), 1), width)
        if width > max(usual // 2, 1) and score > most:
            best, most = Dialect(separator=separator), score
    return best


def _find_rare(lines: Sequence[str]) -> Dialect | None:
    """By a sign that parts all lines alike, where no usual one parts them at all."""
    for separator in RARE_SEPARATORS:
        try:
            widths = {len(row) for row in csv.reader(iter(lines), delimiter=separator) if row}
        except csv.Error:
            continue
        if len(widths) == 1 and widths != {1}:
            return Dialect(separator=separator)
    return None


def _sniff(text: str) -> Dialect:
    """By DuckDB; a table of one column where it cannot tell."""
    import duckdb

    with tempfile.NamedTemporaryFile("w", suffix=".csv", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        query = "SELECT Delimiter, Quote, SkipRows FROM sniff_csv(?, sample_size = -1)"
        try:
            with duckdb.connect() as connection:
                ((separator, quote, skipped),) = connection.execute(query, [file.name]).fetchall()
        except duckdb.Error:
            return Dialect()
    made = Dialect(
        separator=separator if separator in SEPARATORS else ",",
        quote=quote if quote in QUOTES else '"',
        skipped=int(skipped),
    )
    return made if _is_preamble(text, made) else replace(made, skipped=0)


def _is_preamble(text: str, dialect: Dialect) -> bool:
    """Whether what is skipped has far fewer cells than the table: rows of uneven length are none.

    The sniffer skips lines that are shorter than those after them, whatever they hold.
    """
    lines = text.splitlines()
    cells = [len(next(csv.reader([line], delimiter=dialect.separator), [])) for line in lines]
    width = cells[dialect.skipped] if dialect.skipped < len(cells) else 0
    return all(count <= max(width // 2, 1) for count in cells[: dialect.skipped])


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first line names columns: its cells are no numbers where those below are.

    A table without numbers has none only if each of its first cells comes again below.
    """
    first, rest = rows[0], rows[1:]
    votes: Counter[bool] = Counter()
    is_again = []
    for place, cell in enumerate(first):
        column = [row[place].strip() for row in rest if place < len(row) and row[place].strip()]
        if column and sum(map(is_number, column)) >= MOSTLY * len(column):
            votes[not is_number(cell.strip())] += 1
        is_again.append(cell.strip() in column)
    if votes:
        return votes[True] >= votes[False]
    return not (len(rest) >= LEAST_ROWS and all(is_again))
