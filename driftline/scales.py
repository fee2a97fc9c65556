"""Words and codes whose order is known: `1st`, `[40-50)`, `<1`, `never` to `always`, grades.

An order is told only where every level has its own place on one scale; a single foreign level is
enough to tell none.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

Place = tuple[float, ...]

MOST_FIRST: Final = 2  # numbers in front begin at 0 or 1, which may not occur

_NUMBER = r"\d+(?:\.\d+)?"
_NUMBER_IN_TEXT = re.compile(_NUMBER)
_NUMBERED = re.compile(r"(\d{1,2})[_ .:)=-]+(?=\S*[^\W\d_]|\S*\d)(.*)")
_RANK = re.compile(r"(\d{1,2})(?:st|nd|rd|th)\b.*", re.IGNORECASE)
_INTERVAL = re.compile(
    rf"(?P<below><=?|under |below |less than |up to )?(?P<low>{_NUMBER})"
    rf"(?:(?: ?- ?| to )(?P<high>{_NUMBER}))?(?P<above>\+| ?(?:or|and) (?:more|over|above|older))?",
    re.IGNORECASE,
)
_BEYOND = re.compile(rf"(?:>=?|over |above |more than )({_NUMBER})", re.IGNORECASE)
_GRADE = re.compile(r"([A-Z])([1-9])?")
_NAMED_GRADE = re.compile(
    r"(^|[_\s.-])(?i:grade|rating|tier)s?($|[_\s.-])|[a-z](Grade|Rating|Tier)s?$"
)
_NOMINAL = (
    r"race|ethnic|ethnicity|marital|marital[_\s.-]?status|religion|denomination|denomina|occupation"
    r"|profession|employment|nationality|language|department|colou?r|blood[_\s.-]?(?:type|group)"
)
_AT_A_WORD = r"(?:^|[_\s.-]|(?<=[a-z])(?=[A-Z]))"  # not within one: a trace is no race
# Names of what may be numbered and has no order
NOMINAL: Final = re.compile(rf"{_AT_A_WORD}(?i:{_NOMINAL})$")
_NAMED = re.compile(rf"{_AT_A_WORD}(?i:region|area|site|sex|gender|type|status)$")

# Each scale from its low to its high end; words on one line have the same place.
_SCALES: Final[tuple[tuple[str, ...], ...]] = (
    ("never", "seldom|rarely|hardly ever|almost never", "occasionally", "sometimes", "often",
     "frequently", "usually", "most often|mostly|almost always|most of the time|most of time",
     "always"),
    ("extremely low", "very low", "low", "medium|moderate|mid|middle|average|normal", "high",
     "very high", "extremely high"),
    ("terrible", "very bad|very poor", "bad|poor", "fair|acceptable|average|ok|satisfactory",
     "good", "better", "very good", "excellent|best", "outstanding"),
    ("xxs", "xs", "s", "m", "l", "xl", "xxl", "xxxl"),
    ("tiny|very small", "small", "medium|mid|midsize", "large|big", "very large|huge"),
    ("none|absent", "minimal|trace", "mild|slight", "moderate", "marked|severe",
     "very severe|critical"),
    ("strongly disagree", "disagree", "somewhat disagree", "neutral|neither|undecided|no opinion",
     "somewhat agree", "agree", "strongly agree"),
    ("very dissatisfied", "dissatisfied", "neutral|neither", "satisfied", "very satisfied"),
    ("none|no education", "primary|elementary", "below college|secondary|high school",
     "college|some college", "bachelor|bachelors|bachelor's", "master|masters|master's",
     "doctor|doctorate|phd"),
    ("beginner|novice", "intermediate", "advanced", "expert"),
    ("bronze", "silver", "gold", "platinum"),
    ("child", "teenager|adolescent", "adult", "senior|elderly"),
    ("unlikely", "possible", "likely", "certain"),
)  # fmt: skip


def order_levels(levels: Sequence[str], name: str = "") -> list[str] | None:
    """Three levels or more from low to high; None where their order is not known.

    `name` is the column's: letters are grades only where it says so, and numbers in front of words
    are no steps where it names what has no order.
    """
    if len(levels) < 3:  # noqa: PLR2004 - two have an order anyway
        return None
    ways: list[Callable[[str], Place | None]] = [_place_of_rank, _place_in_span]
    if not (NOMINAL.search(name) or _NAMED.search(name)):
        ways.insert(1, _place_of_number)
    if _are_steps(levels):
        ways.insert(0, _first_number)
    if _NAMED_GRADE.search(name):
        ways.append(_place_of_grade)
    for way in ways:
        found = _order_by(levels, way)
        if found is not None and _is_meant(way, levels):
            return found
    return _order_words(levels)


def _order_by(levels: Sequence[str], way: Callable[[str], Place | None]) -> list[str] | None:
    places = {level: place for level in levels if (place := way(level)) is not None}
    if len(places) < len(levels) or len(set(places.values())) < len(levels):
        return None
    return sorted(levels, key=lambda level: places[level])


def _is_meant(way: Callable[[str], Place | None], levels: Sequence[str]) -> bool:
    """Numbers in front of names, and letters, are steps where none between is left out.

    Bare numbers have no bounds: as many levels as have them are bounded on one side, or are spans.
    """
    if way is _place_of_number:
        numbers = sorted(int(place[0]) for level in levels if (place := way(level)))
        return numbers[0] <= MOST_FIRST and numbers[-1] - numbers[0] == len(levels) - 1
    if way is _place_of_grade:
        letters = sorted({level[0] for level in levels})
        return ord(letters[-1]) - ord(letters[0]) == len(letters) - 1
    if way is _place_in_span:
        return any(_NUMBER_IN_TEXT.fullmatch(level) is None for level in levels)
    return True


def _are_steps(levels: Sequence[str]) -> bool:
    """Whether levels differ in their numbers alone, as `3 of 10` and `[40-50)` do."""
    patterns = {_NUMBER_IN_TEXT.sub("#", text) for text in levels}
    return len(patterns) == 1 and "#" in next(iter(patterns)) and next(iter(patterns)) != "#"


def _first_number(level: str) -> Place | None:
    found = _NUMBER_IN_TEXT.search(level)
    return None if found is None else (float(found.group()),)


def _place_of_rank(level: str) -> Place | None:
    """`1st`, `2nd class`."""
    found = _RANK.fullmatch(level)
    return None if found is None else (float(found[1]),)


def _place_of_number(level: str) -> Place | None:
    """`1_Good`, `2. fair`: the number that somebody put in front to have them in order."""
    found = _NUMBERED.fullmatch(level)
    return None if found is None else (float(found[1]),)


def _place_in_span(level: str) -> Place | None:
    """`<1`, `2`, `3-5`, `10+`, `over 100`."""
    beyond = _BEYOND.fullmatch(level)
    if beyond is not None:
        return (float(beyond[1]), 2.0)
    found = _INTERVAL.fullmatch(level)
    if found is None:
        return None
    side = -1.0 if found["below"] else 1.0 if found["above"] or found["high"] else 0.0
    return (float(found["low"]), side)


def _place_of_grade(level: str) -> Place | None:
    """`A`, `B2`."""
    found = _GRADE.fullmatch(level)
    return None if found is None else (float(ord(found[1])), float(found[2] or 0))


def _order_words(levels: Sequence[str]) -> list[str] | None:
    plain = {
        level: " ".join(level.lower().replace("_", " ").replace("-", " ").split())
        for level in levels
    }
    for scale in _SCALES:
        found = _order_by(levels, partial(_place_of_word, plain, scale))
        if found is not None:
            return found
    return None


def _place_of_word(plain: Mapping[str, str], scale: Sequence[str], level: str) -> Place | None:
    """Where its plain spelling stands on the scale."""
    places = (i for i, words in enumerate(scale) if plain[level] in words.split("|"))
    found = next(places, None)
    return None if found is None else (float(found),)
