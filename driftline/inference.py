"""What the columns of a table are that nobody has described, each with what speaks for it.

A guess is made from names and cells alone. It is meant to be read and corrected, so that every one
carries its evidence in words.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from driftline.cells import cells_of
from driftline.columns import LARGEST
from driftline.dated import MOSTLY, describe_dates
from driftline.identities import find_identity
from driftline.levels import FREE, LONG, MOST_CATEGORIES, describe_levels
from driftline.missing_codes import LEAST_OF_A_CODE, find_codes, find_texts, find_words
from driftline.oddities import Cells
from driftline.scales import NOMINAL
from driftline.spelling import is_marker, read_number, spell_all, tidy

Role = Literal["input", "ignored"]
Kind = Literal[
    "number", "integer", "category", "date", "text", "id", "group", "weight", "constant", "empty"
]

MOST_SIGNS = 3  # kg and lb, say
LEAST_NUMBERS = 0.2  # of the cells, from which on it is told that they are some
MOST_NOMINAL = 30  # numbered things that have no order
ROOM = 0.5  # beyond the values seen, as a share of their span

_OTHER_NUMBERS = ("brackets around the number", "commas in the numbers", "another script")
_CODE = re.compile(r"(^|[_\s.-])(id|code|zip|plz)$|[a-z](Id|ID|Code)$", re.IGNORECASE)
_LEADING_ZERO = re.compile(r"0\d+")
_WITH_SIGNS = re.compile(r"[^\d\s]{0,3} ?[+-]?[\d.,' ]*\d ?[^\d\s]{1,4}|[^\d\s]{1,3} ?[\d.,' ]*\d")
_UNIT_IN_BRACKETS = re.compile(r"[(\[]([^()\[\]]{1,15})[)\]]\s*$")
_UNITS = {
    "kg": "kg",
    "lb": "lb",
    "lbs": "lb",
    "cm": "cm",
    "mm": "mm",
    "mmhg": "mmHg",
    "bpm": "1/min",
    "years": "years",
    "yrs": "years",
    "days": "days",
    "hours": "h",
    "hrs": "h",
    "minutes": "min",
    "mgdl": "mg/dL",
    "mmoll": "mmol/L",
    "percent": "%",
    "pct": "%",
    "celsius": "°C",
}


@dataclass(frozen=True)
class Guess:
    """What a column is taken for, and why.

    `keys` are those of a column in a problem file; they are empty for a column that is left out.
    `missing` is the share of cells without a value.
    """

    name: str
    kind: Kind
    role: Role
    evidence: str
    keys: Mapping[str, Any] = field(default_factory=dict)
    missing: float = 0.0


def guess_columns(rows: pd.DataFrame, *, without: Sequence[str] = ()) -> list[Guess]:
    """A guess for each column but those `without`; `rows` holds text or typed cells."""
    names = [tidy(str(name)) for name in rows.columns]
    guesses = [
        guess_column(name, cells_of(rows.iloc[:, place]))
        for place, name in enumerate(names)
        if name and name not in without
    ]
    nameless = names.count("")
    if nameless:
        told = f"{nameless} without a name; give one to a column that is to be used"
        guesses.append(Guess("", "empty", "ignored", told))
    return guesses


def guess_column(name: str, cells: Sequence[Any]) -> Guess:
    """What one column is taken for."""
    texts = spell_all(cells)
    markers = {text for text in set(texts) if text is None or is_marker(text)}
    present = [text for text in texts if text is not None and text not in markers]
    total = len(texts)
    missing = 1 - len(present) / max(total, 1)
    counts = Counter(present)
    if not counts:
        return Guess(name, "empty", "ignored", "no cell holds a value", missing=missing)
    words = find_words(counts)
    present = [text for text in present if text not in words]
    counts = Counter(present)
    if len(counts) == 1:
        told = "every cell that holds a value holds the same"
        return Guess(name, "constant", "ignored", told, missing=missing)
    for guess in (_guess_id, _guess_date, _guess_number, _guess_category):
        found = guess(name, present, counts, words)
        if found is not None:
            return _with_missing(found, missing, total)
    return _leave_out_text(name, present, counts, missing)


def _with_missing(guess: Guess, missing: float, total: int) -> Guess:
    """The guess that knows whether values may be missing."""
    keys = dict(guess.keys)
    if guess.role == "input" and (missing > 0 or keys.get("missing_codes")):
        keys["missing"] = "allow"
    told = guess.evidence
    if missing > 0:
        told += f"; {missing:.1%} of {total} cells are empty"
    return Guess(guess.name, guess.kind, guess.role, told, keys, missing)


def _guess_id(
    name: str, present: Sequence[str], counts: Counter[str], words: Sequence[str]
) -> Guess | None:
    del words
    found = find_identity(name, present, counts)
    return None if found is None else Guess(name, found[0], "ignored", found[1])


def _guess_date(
    name: str, present: Sequence[str], counts: Counter[str], words: Sequence[str]
) -> Guess | None:
    del present
    found = describe_dates(counts, words)
    return None if found is None else Guess(name, "date", "input", found[1], found[0])


def _guess_number(
    name: str, present: Sequence[str], counts: Counter[str], words: Sequence[str]
) -> Guess | None:
    found = describe_number(name, present, counts, words)
    if found is None or not _is_one_to_models(found, counts):
        return found
    low = found.keys["range"][0]
    told = f"{found.evidence}, which are one number in float32, as models see them"
    return Guess(name, "constant", "ignored", f"{told}; less {low:.10g} they could be used")


def _is_one_to_models(guess: Guess, counts: Counter[str]) -> bool:
    """Whether numbers differ by less than their size lets a model see."""
    low, high = guess.keys["range"]
    numbers = [number for text in counts if (number := _read_usable(text)) is not None]
    kept = np.array([number for number in numbers if low <= number <= high])
    return len(np.unique(kept.astype(np.float32))) == 1


def describe_number(
    name: str, present: Sequence[str], counts: Counter[str], words: Sequence[str]
) -> Guess | None:
    """The guess that a column holds numbers, with their unit, range and missing codes."""
    numbers = {text: _read_usable(text) for text in counts}
    fitting = sum(counts[text] for text, number in numbers.items() if number is not None)
    others = [counts[text] for text, number in numbers.items() if number is None]
    if sum(count >= LEAST_OF_A_CODE for count in others) >= LEAST_OF_A_CODE:
        return None  # words that come again and again are codes too, as V45 beside 250
    if fitting < MOSTLY * len(present) or any(_is_code(text) for text in counts):
        return None
    values = {number: 0 for number in numbers.values() if number is not None}
    for text, number in numbers.items():
        if number is not None:
            values[number] += counts[text]
    codes = find_codes(values)
    kept = sorted(value for value in values if value not in codes)
    if len(kept) <= 2:  # noqa: PLR2004 - two values are a yes and a no, in whatever numbers
        return None
    is_whole = all(value.is_integer() for value in kept)
    if is_whole and _names_things(name, kept):
        return None
    kind: Kind = "integer" if is_whole else "number"
    keys: dict[str, Any] = {"kind": kind}
    if unit := guess_unit(name):
        keys["unit"] = unit
    keys["range"] = list(_with_room(kept[0], kept[-1], is_whole=is_whole))
    told = f"{len(kept)} {'whole ' if is_whole else ''}numbers from {kept[0]:g} to {kept[-1]:g}"
    told += f", and {len(present) - fitting} cells that are none" if fitting < len(present) else ""
    missing_codes = [_as_key(code) for code in sorted(codes)] + sorted(words)
    if missing_codes:
        keys["missing_codes"] = missing_codes
        told += f"; {', '.join(map(str, missing_codes))} stand for a missing value"
    return Guess(name, kind, "input", told, keys)


def _names_things(name: str, kept: Sequence[float]) -> bool:
    """Whether whole numbers name things: by a word for ids, or few by one for what has no order."""
    if _CODE.search(name) and len(kept) <= MOST_CATEGORIES:
        return True
    is_few = kept[0] in {0, 1} and kept[-1] <= MOST_NOMINAL
    return is_few and bool(NOMINAL.search(name))


def _read_usable(text: str) -> float | None:
    """The number that a text is, if models can be fitted on it."""
    number = read_number(text)
    return None if number is None or abs(number) > LARGEST else number


def _is_code(text: str) -> bool:
    """Whether it is written as no number is: `007`, a postal code."""
    return text.startswith("0") and bool(_LEADING_ZERO.fullmatch(text))


def _as_key(value: float) -> int | float:
    return int(value) if value.is_integer() else value


def _with_room(low: float, high: float, *, is_whole: bool) -> tuple[float, float]:
    """A range wider than what was seen; one that begins at or above 0 stays there."""
    room = ROOM * (high - low)
    begin, end = low - room, high + room
    if low >= 0:
        begin = max(begin, 0.0)
    digits = -int(np.floor(np.log10(high - low))) + 1
    begin = float(np.floor(begin * 10.0**digits) / 10.0**digits)
    end = float(np.ceil(end * 10.0**digits) / 10.0**digits)
    begin, end = max(begin, -LARGEST), min(end, LARGEST)
    return (float(np.floor(begin)), float(np.ceil(end))) if is_whole else (begin, end)


def _guess_category(
    name: str, present: Sequence[str], counts: Counter[str], words: Sequence[str]
) -> Guess | None:
    codes = [*words, *find_texts(counts)]
    kept = [text for text in present if text not in codes]
    found = describe_levels(kept, Counter(kept), codes, name=name)
    return None if found is None else Guess(name, "category", "input", found[1], found[0])


def _leave_out_text(
    name: str, present: Sequence[str], counts: Counter[str], missing: float
) -> Guess:
    length = sum(map(len, present)) / len(present)
    if length >= LONG and len(counts) >= FREE * len(present):
        told = f"free text of some {length:.0f} characters, in which rows have nothing in common"
        return Guess(name, "text", "ignored", told, missing=missing)
    if _have_units(present):
        told = "numbers with signs or units beside them; a column of plain numbers can be used"
        return Guess(name, "text", "ignored", told, missing=missing)
    told = f"{len(counts)} different texts in {len(present)} cells, too many for categories"
    return Guess(name, "text", "ignored", told + _tell_mixed(present), missing=missing)


def _tell_mixed(present: Sequence[str]) -> str:
    """How many of the cells are numbers, and what keeps the others from it."""
    others = [text for text in present if read_number(text) is None]
    if not others:
        return ""
    cells = Cells()
    cells.add(others)
    told = cells.describe()
    count = len(present) - len(others)
    if count < LEAST_NUMBERS * len(present) and not told.endswith(_OTHER_NUMBERS):
        return ""
    return f": {count} plain numbers beside {told}; a column of plain numbers can be used"


def _have_units(present: Sequence[str]) -> bool:
    """Whether most are numbers beside a sign or unit, of which there are few: codes have many."""
    with_signs = [text for text in present if _WITH_SIGNS.fullmatch(text)]
    signs = {re.sub(r"[\d.,' +-]", "", text) for text in with_signs}
    return len(with_signs) >= MOSTLY * len(present) and len(signs) <= MOST_SIGNS


def guess_unit(name: str) -> str | None:
    """The unit that a name tells: `weight_kg`, `pressure (mmHg)`."""
    in_brackets = _UNIT_IN_BRACKETS.search(name)
    if in_brackets:
        return in_brackets.group(1).strip()
    last = re.split(r"[_\s.-]+", name.lower())[-1]
    return _UNITS.get(last)
