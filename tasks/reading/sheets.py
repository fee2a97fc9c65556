"""Spreadsheets to rows: the sheet that names most columns, or the first that holds anything."""

import io as streams
from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd

from driftline.errors import SourceError
from driftline.spelling import tidy
from tasks.progress import tell
from tasks.reading.kinds import describe_start

MOST_SKIPPED, MOST_SHOWN = 50, 5
FIRSTS = (b"PK", b"\xd0\xcf\x11\xe0", b"\x09\x08")  # of packed, old and older spreadsheets


def read_sheet(content: bytes, name: str, names: Collection[str] = ()) -> pd.DataFrame:
    """All rows; the header is the line that holds most of the `names`, or the first full one."""
    try:
        sheets = pd.read_excel(
            streams.BytesIO(content), sheet_name=None, header=None, dtype=object, engine="calamine"
        )
    except Exception as error:  # noqa: BLE001 - the reader raises its own kinds for a broken file
        why = describe_start(streams.BytesIO(content), *FIRSTS) or type(error).__name__
        message = f"{name}: not a readable spreadsheet ({why}); wanted it whole, without a password"
        raise SourceError(message) from None
    filled = {title: sheet for title, sheet in sheets.items() if sheet.notna().to_numpy().any()}
    if not filled:
        message = f"{name}: a spreadsheet without cells; wanted a header and rows"
        raise SourceError(message)
    sheet = filled[_choose_sheet(filled, name, names)]
    cells = sheet.dropna(how="all").dropna(how="all", axis=1).reset_index(drop=True)
    place = _find_header(cells, names)
    header = [_name(cell, at) for at, cell in enumerate(cells.iloc[place], 1)]
    rows = cells.iloc[place + 1 :].reset_index(drop=True)
    rows.columns = pd.Index(header, dtype=object)
    return rows.where(rows.notna(), None)


def _choose_sheet(sheets: Mapping[str, pd.DataFrame], name: str, names: Collection[str]) -> str:
    """The sheet that holds most of the names; `SourceError` where others hold as many and differ.

    To read one of several parts of a table would pass over the rest of it.
    """
    counts = {title: _count_names(sheet, names) for title, sheet in sheets.items()}
    title, *others = sorted(counts, key=lambda each: -counts[each])
    like = [each for each in others if counts[each] == counts[title] and counts[title]]
    if not all(sheets[each].equals(sheets[title]) for each in like):
        shown = ", ".join(map(repr, [title, *like][:MOST_SHOWN]))
        message = f"{name}: holds {len(like) + 1} sheets with these columns ({shown}); wanted one"
        raise SourceError(message)
    if others:
        tell(f"{name}: read the sheet {title!r}, and not {', '.join(map(repr, others))}")
    return title


def _count_names(sheet: pd.DataFrame, names: Collection[str]) -> int:
    """How many of the names the line holds that has most of them."""
    rows = sheet.head(MOST_SKIPPED).to_numpy()
    return max((sum(tidy(str(cell)) in names for cell in row) for row in rows), default=0)


def _find_header(cells: pd.DataFrame, names: Collection[str]) -> int:
    head = cells.head(MOST_SKIPPED)
    if names:
        known = [sum(tidy(str(cell)) in names for cell in row) for row in head.to_numpy()]
        return int(max(range(len(known)), key=lambda place: (known[place], -place)))
    full = head.notna().sum(axis=1)
    return int((full == full.max()).to_numpy().argmax())


def _name(cell: Any, place: int) -> str:
    return f"column{place}" if pd.isna(cell) else str(cell)
