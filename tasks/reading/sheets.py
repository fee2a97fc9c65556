"""Spreadsheets to rows: the sheet that names most columns, or the first that holds anything."""

import io as streams
from collections.abc import Collection
from typing import Any

import pandas as pd

from driftline.errors import SourceError
from driftline.spelling import tidy
from tasks.progress import tell

MOST_SKIPPED = 50


def read_sheet(content: bytes, name: str, names: Collection[str] = ()) -> pd.DataFrame:
    """All rows; the header is the line that holds most of the `names`, or the first full one."""
    try:
        sheets = pd.read_excel(
            streams.BytesIO(content), sheet_name=None, header=None, dtype=object, engine="calamine"
        )
    except Exception as error:  # noqa: BLE001 - the reader raises its own kinds for a broken file
        message = f"{name}: not a readable spreadsheet ({type(error).__name__})"
        raise SourceError(message) from None
    filled = {title: sheet for title, sheet in sheets.items() if sheet.notna().to_numpy().any()}
    if not filled:
        message = f"{name}: a spreadsheet without cells; wanted a header and rows"
        raise SourceError(message)
    title = max(filled, key=lambda each: _count_names(filled[each], names))
    sheet, others = filled[title], [each for each in filled if each != title]
    if others:
        tell(f"{name}: read the sheet {title!r}, and not {', '.join(map(repr, others))}")
    cells = sheet.dropna(how="all").dropna(how="all", axis=1).reset_index(drop=True)
    place = _find_header(cells, names)
    header = [_name(cell, at) for at, cell in enumerate(cells.iloc[place], 1)]
    rows = cells.iloc[place + 1 :].reset_index(drop=True)
    rows.columns = pd.Index(header, dtype=object)
    return rows.where(rows.notna(), None)


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
