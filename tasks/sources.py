"""Reads raw rows from wherever a problem keeps them: files, buckets, packages, scikit-learn."""

import csv
import io as streams
from importlib import resources
from typing import Any

import pandas as pd

from driftline.errors import SourceError
from driftline.problem import FileSource, PackageSource, Problem, SklearnSource
from tasks.decorators import io
from tasks.reaching import options_for, reaching

READERS = (".csv", ".csv.gz", ".csv.bz2", ".parquet")


@io(name="read source", run_name="read source of {problem.name}")
def read_source(problem: Problem, source: str | None = None) -> tuple[pd.DataFrame, str]:
    """All rows as they are written there, and the source's name for messages.

    `source` (a path or URL of a file or a folder) stands in for the problem's own. Text files come
    as text cells; types are given later.
    """
    if source is not None:
        return read_location(source), source
    match problem.source:
        case SklearnSource(name=name):
            return _read_sklearn(name), f"scikit-learn's {name}"
        case PackageSource(package=package, path=path):
            return _read_package(package, path), f"{package}/{path}"
        case FileSource(location=location):
            return read_location(location), location


def read_location(location: str) -> pd.DataFrame:
    """Rows of a CSV or Parquet file, or of all such files in a folder, one after the other."""
    import fsspec

    try:
        filesystem, path = fsspec.core.url_to_fs(
            location, **options_for(location.split("://", maxsplit=1)[0])
        )
    except (ValueError, ImportError) as error:
        message = f"{location}: cannot be opened ({error}); wanted a path, or an s3:// URL"
        raise SourceError(message) from None
    with reaching(location):
        paths = _list_files(filesystem, path, location)
        contents = [filesystem.cat_file(name) for name in paths]
    parts = [_parse(content, name) for content, name in zip(contents, paths, strict=True)]
    first = list(parts[0].columns)
    for name, part in zip(paths, parts, strict=True):
        if list(part.columns) != first:
            message = f"{name}: its header differs from that of {paths[0]}; wanted the same columns"
            raise SourceError(message)
    return pd.concat(parts, ignore_index=True)


def _list_files(filesystem: Any, path: str, location: str) -> list[str]:
    if filesystem.isfile(path):
        return [path]
    if not filesystem.exists(path):
        message = f"{location}: no such file; wanted a CSV or Parquet file, or a folder of them"
        raise SourceError(message)
    found = sorted(name for name in filesystem.ls(path, detail=False) if name.endswith(READERS))
    if not found:
        message = f"{location}: a folder without {', '.join(READERS)} files; wanted at least one"
        raise SourceError(message)
    return found


def _parse(content: bytes, name: str) -> pd.DataFrame:
    if not content:
        message = f"{name}: an empty file; wanted a header and rows"
        raise SourceError(message)
    if name.endswith(".parquet"):
        return _parse_parquet(content, name)
    return parse_csv(_decompress(content, name), name)


def _parse_parquet(content: bytes, name: str) -> pd.DataFrame:
    try:
        return pd.read_parquet(streams.BytesIO(content))
    except Exception as error:  # noqa: BLE001 - pyarrow raises a dozen kinds for a broken file
        message = f"{name}: not a readable Parquet file ({type(error).__name__})"
        raise SourceError(message) from None


def _decompress(content: bytes, name: str) -> bytes:
    import bz2
    import gzip
    import zlib

    try:
        if name.endswith(".gz"):
            return gzip.decompress(content)
        return bz2.decompress(content) if name.endswith(".bz2") else content
    except (OSError, EOFError, ValueError, zlib.error) as error:
        message = f"{name}: cannot be decompressed ({error}); wanted a whole file"
        raise SourceError(message) from None


def parse_csv(content: bytes, name: str) -> pd.DataFrame:
    """CSV bytes as text cells, header kept as written (a repeated name stays repeated)."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        message = f"{name}: not UTF-8 at line {line} (byte {error.start}); wanted UTF-8 text"
        raise SourceError(message) from None
    if "\x00" in text:
        message = f"{name}: holds null bytes; wanted CSV text"
        raise SourceError(message)
    header = next(csv.reader(streams.StringIO(text)), [])
    if not header:
        message = f"{name}: got no header; wanted a first line of column names"
        raise SourceError(message)
    try:
        rows = pd.read_csv(
            streams.StringIO(text),
            header=None,
            names=range(len(header)),
            skiprows=1,
            dtype=str,
            keep_default_na=False,
            index_col=False,
            on_bad_lines="error",
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as error:
        if isinstance(error, pd.errors.EmptyDataError):
            rows = pd.DataFrame(columns=range(len(header)), dtype=str)
        else:
            fault = " ".join(str(error).split())
            message = f"{name}: {fault}; wanted {len(header)} cells in every line"
            raise SourceError(message) from None
    rows.columns = pd.Index(header)
    return rows


def _read_sklearn(name: str) -> pd.DataFrame:
    from sklearn import datasets

    loader = getattr(datasets, f"load_{name}", None)
    if loader is None:
        message = f"source.name: got {name!r}, wanted a table that scikit-learn ships"
        raise SourceError(message)
    frame: pd.DataFrame = loader(as_frame=True).frame
    return frame


def _read_package(package: str, path: str) -> pd.DataFrame:
    try:
        content = resources.files(package).joinpath(path).read_bytes()
    except (ModuleNotFoundError, FileNotFoundError, IsADirectoryError):
        message = f"source: got {package}/{path}, wanted a file of an installed package"
        raise SourceError(message) from None
    return _parse(content, path)
