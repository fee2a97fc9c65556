"""Point-in-time joins: the newest row of a key that is not later than a moment.

One table of rows by key serves the rows of a file and a record that a client sends, so that both
find the same values. Needs numpy and the standard library only, since serving fills in with it.
"""

import hashlib
import io as streams
import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

NONE: Final = -1  # the key is missing, or none of its rows is early enough
TOO_OLD: Final = -2  # there is one, and it is older than the join allows

Given = Literal["wins", "refuse"]


@dataclass(frozen=True)
class JoinSpec:
    """One join: what serving has to know of it."""

    name: str
    key: str
    as_of: str
    fields: tuple[str, ...]
    max_age_seconds: int | None = None
    given: Given = "wins"  # what becomes of a field that comes with the record itself


@dataclass(frozen=True)
class Values:
    """The values of a field by row: numbers, nan where missing; or the places of texts, from 0."""

    numbers: NDArray[np.float64]
    texts: tuple[str, ...] | None = None
    is_whole: bool = False

    def get(self, row: int) -> float | str | None:
        """One value as a request has it."""
        number = float(self.numbers[row])
        if number != number:  # noqa: PLR0124 - nan
            return None
        if self.texts is not None:
            return self.texts[int(number)]
        return int(number) if self.is_whole and number.is_integer() else number


@dataclass(frozen=True)
class Timeline:
    """A table's rows by key, those of a key in the order of their moments (seconds since 1970).

    Of rows with one key and one moment the last one of the table counts.
    """

    keys: tuple[str, ...]
    starts: NDArray[np.int64]  # (keys + 1,): where the rows of each key begin
    seconds: NDArray[np.int64]  # (rows,)
    columns: Mapping[str, Values]

    @cached_property
    def _places(self) -> dict[str, int]:
        return {key: place for place, key in enumerate(self.keys)}

    def find(self, key: str | None, second: int | None, max_age_seconds: int | None) -> int:
        """The row that counts for a key at a moment; `NONE` or `TOO_OLD` where there is none."""
        place = None if key is None or second is None else self._places.get(key)
        if place is None or second is None:
            return NONE
        begin, end = int(self.starts[place]), int(self.starts[place + 1])
        row = bisect_right(self.seconds, second, begin, end) - 1
        if row < begin:
            return NONE
        is_old = max_age_seconds is not None and second - int(self.seconds[row]) > max_age_seconds
        return TOO_OLD if is_old else row

    def to_bytes(self) -> bytes:
        """The table as a file's content; the same table gives the same."""
        about: dict[str, Any] = {"keys": self.keys, "columns": {}}
        arrays: dict[str, Any] = {"starts": self.starts, "seconds": self.seconds}
        for place, (name, values) in enumerate(self.columns.items()):
            about["columns"][name] = {"texts": values.texts, "is_whole": values.is_whole}
            arrays[f"column{place}"] = values.numbers
        text = json.dumps(about, ensure_ascii=False).encode()
        buffer = streams.BytesIO()
        np.savez(buffer, about=np.frombuffer(text, dtype=np.uint8), **arrays)
        return buffer.getvalue()

    @property
    def sha256(self) -> str:
        """Digest of the table's content."""
        return hashlib.sha256(self.to_bytes()).hexdigest()


def build_timeline(
    keys: Sequence[str | None], seconds: Sequence[int | None], columns: Mapping[str, Values]
) -> Timeline:
    """The timeline of a table's rows; those without a key or a moment are left out."""
    kept = [
        i for i, (key, at) in enumerate(zip(keys, seconds, strict=True)) if None not in {key, at}
    ]
    names = tuple(sorted({str(keys[i]) for i in kept}))
    place_of = {name: place for place, name in enumerate(names)}
    codes = np.array([place_of[str(keys[i])] for i in kept], dtype=np.int64)
    moments = np.array([seconds[i] for i in kept], dtype=np.int64)
    order = np.lexsort((moments, codes))  # keeps the table's order among equals
    rows = np.array(kept, dtype=np.int64)[order]
    starts = np.searchsorted(codes[order], np.arange(len(names) + 1)).astype(np.int64)
    taken = {
        name: Values(values.numbers[rows], values.texts, values.is_whole)
        for name, values in columns.items()
    }
    return Timeline(names, starts, moments[order], taken)


def parse_timeline(content: bytes) -> Timeline:
    """Read what `Timeline.to_bytes` wrote; `ValueError` where it is none."""
    try:
        with np.load(streams.BytesIO(content), allow_pickle=False) as held:
            about = json.loads(held["about"].tobytes())
            columns = {
                name: Values(
                    held[f"column{place}"],
                    None if one["texts"] is None else tuple(one["texts"]),
                    one["is_whole"],
                )
                for place, (name, one) in enumerate(about["columns"].items())
            }
            return Timeline(tuple(about["keys"]), held["starts"], held["seconds"], columns)
    except Exception as error:  # noqa: BLE001 - a damaged archive raises a dozen kinds
        message = f"not a table of a join ({type(error).__name__})"
        raise ValueError(message) from None
