"""Ids of predictions: when each was made, in milliseconds since the epoch, and 80 random bits.

These are the bits of a ULID, written as 32 hexadecimal digits. So ids made one after another stand
beside each other in the database's index, and an id tells how long its prediction has been under
way.
"""

import os
import re
import time

TIME_DIGITS, RANDOM_BYTES = 12, 10
DIGITS = TIME_DIGITS + 2 * RANDOM_BYTES

_DIGIT = "[0-9a-fA-F]"
_HEXADECIMAL = re.compile(
    rf"\{{?({_DIGIT}{{8}})-?({_DIGIT}{{4}})-?({_DIGIT}{{4}})-?({_DIGIT}{{4}})-?({_DIGIT}{{12}})"
    r"(-[0-9]+)?\}?"  # of a batch, the row
)


def new_ids(count: int) -> list[str]:
    """Fresh ids, all made now."""
    made = f"{time.time_ns() // 1_000_000:0{TIME_DIGITS}x}"
    text = os.urandom(RANDOM_BYTES * count).hex()
    width = 2 * RANDOM_BYTES
    return [made + text[i : i + width] for i in range(0, len(text), width)]


def fold_id(text: str) -> str:
    """An id as it was made, where a client keeps it in capitals or in the form of a UUID."""
    found = _HEXADECIMAL.fullmatch(text)
    return text if found is None else "".join(found.groups("")).lower()


def is_recent(prediction_id: str, seconds: float) -> bool:
    """Whether an id says that it was made so lately, by a clock that may differ as much from ours.

    Ids that are made otherwise, such as those of batch scoring, do not say so, but for a chance of
    some one in a hundred million.
    """
    if len(prediction_id) != DIGITS:
        return False
    try:
        made = int(prediction_id[:TIME_DIGITS], 16) / 1000
    except ValueError:
        return False
    return abs(time.time() - made) < seconds
