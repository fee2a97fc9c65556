"""The split of a trial: the contender's bento, and which share of the traffic it answers.

It is a file beside the pointer, on this machine and in the store. There the end of a trial is a
file that says so: who may not list a bucket cannot tell a missing file from a forbidden one.
"""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

from bentos.takeover.content import ContentError
from bentos.takeover.shelf import Pointer, bentoml_home, parse_pointer, write_whole

NO_TRIAL = b"null"


@dataclass(frozen=True)
class Split:
    """A contender's bento, the champion that it was set beside, and how subjects are parted.

    `share` is above 0 and below 1; `salt` keys the hash of subjects; `field` is the input that
    names one, "" where the request's header does.
    """

    pointer: Pointer
    champion: str
    share: float
    salt: str
    field: str = ""


def split_file(problem: str) -> Path:
    """What says on this machine which trial a problem's traffic takes part in."""
    return bentoml_home() / "serving" / f"{problem}.trial.json"


def split_in_store(problem: str) -> str:
    """What says it to every machine."""
    return f"serving/{problem}.trial.json"


def format_split(split: Split) -> bytes:
    """A split as JSON."""
    return json.dumps(asdict(split)).encode()


def parse_split(content: bytes, problem: str) -> Split | None:
    """Read what `format_split` wrote, or that there is none; `ContentError` where neither is."""
    try:
        raw = json.loads(content)
        if raw is None:
            return None
        pointer = parse_pointer(json.dumps(raw["pointer"]).encode(), problem)
        share = float(raw["share"])
        words = (raw["champion"], raw["salt"], raw["field"])
    except ContentError:
        raise
    except (ValueError, TypeError, KeyError, RecursionError):
        message = "the trial's split cannot be read; wanted JSON that names a bento and its share"
        raise ContentError(message) from None
    if not (math.isfinite(share) and 0 < share < 1):
        message = "the trial's split: wanted a share above 0 and below 1"
        raise ContentError(message)
    if not all(isinstance(word, str) for word in words) or not raw["salt"]:
        message = "the trial's split: wanted champion, salt and field as text"
        raise ContentError(message)
    champion, salt, field = words
    return Split(pointer, champion, share, salt, field)


def read_split(problem: str) -> Split | None:
    """The split on this machine, if there is one; `ContentError` where it cannot be used."""
    try:
        return parse_split(split_file(problem).read_bytes(), problem)
    except FileNotFoundError:
        return None


def write_split(problem: str, split: Split | None) -> None:
    """Part the traffic on this machine, or no longer."""
    if split is None:
        split_file(problem).unlink(missing_ok=True)
    else:
        write_whole(split_file(problem), format_split(split))
