"""Reads raw rows from wherever a problem has them: files, buckets, packages, generators."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from importlib import resources
from typing import Any, NamedTuple

import pandas as pd

from driftline.errors import SourceError
from driftline.locations import redact
from driftline.problem import (
    FileSource,
    PackageSource,
    Problem,
    SklearnSource,
    SyntheticSource,
    Target,
)
from driftline.reading import PLAIN, Reading
from driftline.spelling import read_number, tidy
from tasks.decorators import io, without_task_runs
from tasks.progress import tell
from tasks.reaching import reaching, read_whole
from tasks.reading.dialects import NOTHING_KNOWN, Expected
from tasks.reading.encodings import BLOCK_BYTES
from tasks.reading.locations import list_files, open_location
from tasks.reading.parsing import Piece, parse, stream
from tasks.reading.streams import PLAINLY, Stream, tell_ways
from tasks.reading.synthetic.generators import generate_rows

PIECE_CELLS = 1_000_000  # of text, some 75 bytes each


class Table(NamedTuple):
    """Rows as they are written, how that is in words, and the keys that would pin it."""

    rows: pd.DataFrame
    read_as: str = ""
    reading: Reading = PLAIN


class Found(NamedTuple):
    """The rows of a problem's source, its name for messages, and how it is written in words."""

    rows: pd.DataFrame
    name: str
    read_as: str


@io(name="read source", run_name="read source of {problem.name}")
def read_source(problem: Problem, source: str | None = None) -> Found:
    """All rows as they are written there.

    `source` (a path or URL of a file or a folder) stands in for the problem's own. Text files come
    as text cells; types are given later. How a text table is written is as the problem pins it,
    else found out by the names that it declares, and told where it is not plain.
    """
    expected = expect(problem)
    if source is not None:
        return _found(read_table(source, expected), redact(source))
    match problem.source:
        case SklearnSource(name=name):
            return Found(_read_sklearn(name), f"scikit-learn's {name}", "")
        case PackageSource(package=package, path=path):
            return _found(_read_package(package, path, expected), f"{package}/{path}")
        case SyntheticSource() as synthetic:
            return Found(*generate_rows(synthetic), "")
        case FileSource(location=location):
            return _found(read_table(location, expected), redact(location))


def _found(table: Table, name: str) -> Found:
    return Found(table.rows, name, table.read_as)


def expect(problem: Problem, others: Collection[str] = ()) -> Expected:
    """What the columns of a problem's source are called, and which of them hold numbers.

    A table with `others` is another one than what the problem file describes: nothing is pinned.
    """
    names = {problem.target.name, *problem.target.aliases, *problem.ignored, *others}
    numbers: set[str] = set()
    if problem.predicts_number:
        numbers |= {problem.target.name, *problem.target.aliases}
    if problem.weight is not None:
        numbers.add(problem.weight)
    for name, spec in problem.columns.items():
        names |= {name, *spec.aliases}
        if spec.kind in {"number", "integer"}:
            numbers |= {name, *spec.aliases}
    reading = PLAIN if others else problem.reading
    spellings = _spellings_by_name(problem)
    codes = {name for name, texts in spellings.items() if all(map(_is_number, texts))}
    words = frozenset(text for texts in spellings.values() for text in texts)
    return Expected(frozenset(names), frozenset(numbers), frozenset(codes), words, reading)


def _spellings_by_name(problem: Problem) -> dict[str, tuple[str, ...]]:
    """All that a column of categories, or the target, may hold; by each of its names."""
    found: dict[str, tuple[str, ...]] = {}
    for name, spec in problem.columns.items():
        if spec.kind == "category":
            found |= dict.fromkeys((name, *spec.aliases), tuple(spec.spellings.exact))
    target = problem.target
    if isinstance(target, Target):
        values = tuple(text for texts in target.classes.values() for text in texts)
        found |= dict.fromkeys((target.name, *target.aliases), values)
    return found


def _is_number(text: str) -> bool:
    return read_number(text) is not None


def read_table(location: str, expected: Expected = NOTHING_KNOWN) -> Table:
    """Rows of a file, or of all tables of a folder in turn, and how they are written."""
    filesystem, path = open_location(location)
    with reaching(redact(location)):
        paths = list_files(filesystem, path, redact(location))
        contents = [read_whole(filesystem, name) for name in paths]
    names = [redact(path) for path in paths]
    pieces = [parse(content, name, expected) for content, name in zip(contents, names, strict=True)]
    first = list(pieces[0].rows.columns)
    for name, piece in zip(names, pieces, strict=True):
        _tell_how_read(name, piece)
        _refuse_other_header(list(piece.rows.columns), first, name, names[0])
    return _join(pieces)


def read_table_with(location: str, name: str) -> Table:
    """Rows of a table of which one name alone is known.

    It tells the header, or the sheet, only where the table by itself shows no such name.
    """
    try:
        table = read_table(location)
    except SourceError as error:
        table, fault = None, error
    if table is not None and _has_column(table, name):
        return table
    try:
        return read_table(location, Expected(sought=frozenset({tidy(name)})))
    except SourceError:
        if table is None:
            raise fault from None
        return table


def _has_column(table: Table, name: str) -> bool:
    wanted = tidy(name).casefold()
    return any(tidy(str(column)).casefold() == wanted for column in table.rows.columns)


def _join(pieces: Sequence[Piece]) -> Table:
    """Files that are written in several ways are told by all, and pin none."""
    rows = pd.concat([piece.rows for piece in pieces], ignore_index=True)
    ways = {piece.dialect.to_reading() if piece.dialect else PLAIN for piece in pieces}
    told = dict.fromkeys(piece.read_as or PLAINLY for piece in pieces)
    return Table(rows, tell_ways(told), ways.pop() if len(ways) == 1 else PLAIN)


def _tell_how_read(name: str, piece: Piece) -> None:
    if piece.read_as:
        tell(f"{name}: read as: {piece.read_as}")


@io(name="open source", run_name="open source of {problem.name}")
def open_source(
    problem: Problem, source: str | None, *, rows: int, names: Collection[str] = ()
) -> Stream:
    """The source as pieces of at most so many rows, whose digest is known.

    `names` are columns beside the problem's: then all comes as text. Else columns of numbers may
    come as numbers.
    """
    expected = expect(problem, names)
    expected = expected if names else _with_types(expected, problem)
    stream = _open(problem, source, expected, rows=rows)
    stream.sha256  # noqa: B018 - read here, where an outage may pass
    return stream


@io(name="open rows", run_name="open rows of {problem.name}")
def open_rows(problem: Problem, source: str | None = None) -> Stream:
    """The source as pieces that fit into memory; none is read yet.

    Columns of numbers may come as numbers.
    """
    rows = max(1, PIECE_CELLS // (len(problem.columns) + 1))
    return _open(problem, source, _with_types(expect(problem), problem), rows=rows)


def _with_types(expected: Expected, problem: Problem) -> Expected:
    """With the columns whose numbers alone are wanted; joins look their keys up in the text."""
    typed = expected.numbers - {problem.weight, *problem.ignored}
    return replace(expected, typed=frozenset() if problem.joins else typed)


def _open(problem: Problem, source: str | None, expected: Expected, *, rows: int) -> Stream:
    """A file or a folder is read as it goes; what comes from elsewhere is small."""
    described = problem.source
    own = described.location if isinstance(described, FileSource) else None
    location = own if source is None else source
    if location is None:
        with without_task_runs():
            table, name, read_as = read_source(problem)
        return Stream(name, lambda: _digest_text(table), lambda: _cut(table, rows, read_as))
    filesystem, path = open_location(location)
    told = redact(location)
    with reaching(told):
        paths = list_files(filesystem, path, told)
    return Stream(
        told,
        lambda: _digest_files(filesystem, paths, told),
        lambda: _stream_files(filesystem, paths, expected, rows=rows),
    )


@io(name="read rows", run_name="read rows {number}")
def read_piece(stream: Stream, number: int) -> Piece | None:
    """A piece of a stream by its place; after an outage it is read again up to there."""
    return stream.read(number)


def _cut(table: pd.DataFrame, rows: int, read_as: str) -> Iterator[Piece]:
    for start in range(0, max(len(table), 1), rows):
        share = min(1.0, (start + rows) / max(len(table), 1))
        yield Piece(table.iloc[start : start + rows], share, told=read_as)


def _digest_text(table: pd.DataFrame) -> str:
    return hashlib.sha256(table.to_csv(index=False).encode()).hexdigest()


def _digest_files(filesystem: Any, paths: list[str], told: str) -> str:
    digest = hashlib.sha256()
    with reaching(told):
        for path in paths:
            with filesystem.open(path, "rb") as file:
                while block := file.read(BLOCK_BYTES):
                    digest.update(block)
    return digest.hexdigest()


def _stream_files(
    filesystem: Any, paths: list[str], expected: Expected, *, rows: int
) -> Iterator[Piece]:
    """Pieces of all files; one without rows is left out, unless there is no other."""
    sizes = [int(filesystem.size(path)) for path in paths]
    first: list[Any] = []
    empty, is_empty = None, True
    names = [redact(path) for path in paths]
    for number, path in enumerate(paths):
        told = names[number]
        with reaching(told), filesystem.open(path, "rb") as file:
            pieces = stream(file, told, size=sizes[number], rows=rows, expected=expected)
            for place, piece in enumerate(pieces):
                if not place:
                    _tell_how_read(told, piece)
                columns = list(piece.rows.columns)
                first = first or columns
                _refuse_other_header(columns, first, names[number], names[0])
                done = sum(sizes[:number]) + piece.share * sizes[number]
                empty = Piece(piece.rows, done / max(sum(sizes), 1), told=piece.read_as)
                if len(piece.rows):
                    is_empty = False
                    yield empty
    if is_empty and empty is not None:
        yield empty


def _refuse_other_header(columns: list[Any], first: list[Any], name: str, named: str) -> None:
    if columns != first:
        message = f"{name}: its header differs from that of {named}; wanted the same columns"
        raise SourceError(message)


def _read_sklearn(name: str) -> pd.DataFrame:
    from sklearn import datasets

    loader = getattr(datasets, f"load_{name}", None)
    if loader is None:
        message = f"source.name: got {name!r}, wanted a table that scikit-learn ships"
        raise SourceError(message)
    frame: pd.DataFrame = loader(as_frame=True).frame
    return frame


def _read_package(package: str, path: str, expected: Expected) -> Table:
    try:
        content = resources.files(package).joinpath(path).read_bytes()
    except (ModuleNotFoundError, FileNotFoundError, IsADirectoryError):
        message = f"source: got {package}/{path}, wanted a file of an installed package"
        raise SourceError(message) from None
    return _join([parse(content, path, expected)])
