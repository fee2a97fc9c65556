"""Columns of codes and words, told from the values in them: their categories, and what is rare."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from driftline.scales import order_levels
from driftline.variants import merge_spellings

MOST_CATEGORIES = 50
LONG, FREE = 25, 0.8  # characters, and share of different texts, of free text
_KEPT, _LEAST_SHARE, _LEAST_CELLS, _MOST_OF_ALL = 30, 0.005, 20, 0.5  # of levels that stay
_OTHER = ("other", "any other value")

_NUMBER_IN_TEXT = re.compile(r"\d+(\.\d+)?")


def describe_levels(
    present: Sequence[str], counts: Counter[str], words: Sequence[str], *, name: str = ""
) -> tuple[dict[str, Any], str] | None:
    """The keys of a category and what tells them; None for a column that is none.

    `words` stand for a missing value and are none of its values.

    Of a code with very many values the frequent ones are kept, and one category stands for the
    others, where the kept ones fill most of the cells.
    """
    if len(counts) > max(len(present) / 2, 2) or _is_free(present, counts):
        return None
    is_folded = len(counts) > MOST_CATEGORIES
    found = _fold(present, counts) if is_folded else _name_all(present, counts, name)
    if found is None or not words:
        return found
    keys, told = found
    told += f"; {', '.join(sorted(words))} stand for a missing value"
    return keys | {"missing_codes": sorted(words)}, told


def _is_free(present: Sequence[str], counts: Counter[str]) -> bool:
    length = sum(map(len, present)) / len(present)
    return len(counts) > MOST_CATEGORIES and length >= LONG


def _name_all(
    present: Sequence[str], counts: Counter[str], name: str
) -> tuple[dict[str, Any], str]:
    spellings = merge_spellings(counts)
    levels = sorted(spellings, key=_in_order)
    rarest = min(sum(counts[text] for text in (one, *spellings[one])) for one in levels)
    told = f"{len(levels)} values; the rarest stands in {rarest} of {len(present)} cells"
    ordered = order_levels(levels, name)
    if ordered is not None:
        told += f"; in order from {ordered[0]!r} to {ordered[-1]!r}"
    keys: dict[str, Any] = {"kind": "category", "categories": ordered or levels}
    keys |= {"ordered": True} if ordered else {}
    if any(spellings.values()):
        keys["categories"] = {one: list(spellings[one]) for one in ordered or levels}
        told += "; other spellings of a word count as one"
    return keys, told


def _fold(present: Sequence[str], counts: Counter[str]) -> tuple[dict[str, Any], str] | None:
    least = max(_LEAST_CELLS, _LEAST_SHARE * len(present))
    kept = [text for text, count in counts.most_common(_KEPT) if count >= least]
    share = sum(counts[text] for text in kept) / len(present)
    if len(kept) < 2 or share < _MOST_OF_ALL:  # noqa: PLR2004 - one tells nothing apart
        return None
    other = next(name for name in _OTHER if name not in counts)
    told = (
        f"{len(counts)} values; the {len(kept)} most frequent stand in {share:.0%} of the cells, "
        f"all others count as {other!r}"
    )
    levels = [*sorted(kept, key=_in_order), other]
    return {"kind": "category", "categories": levels, "unseen": other}, told


def _in_order(text: str) -> tuple[float, str]:
    """By the first number in it; texts without one come last."""
    found = _NUMBER_IN_TEXT.search(text)
    return (float(found.group()) if found else math.inf, text)
