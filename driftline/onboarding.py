"""From a table that nobody has described to the two files of a problem.

The documents are text with comments, so that a person can check and correct every guess.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import yaml

from driftline.cleaning import cells_of
from driftline.errors import DataError
from driftline.inference import Guess, guess_columns
from driftline.leaks import suspect_leak
from driftline.reading import PLAIN, Reading
from driftline.spelling import is_marker, read_number, spell, tidy

MOST_CLASSES = 30
LEAST_OF_A_CLASS = 2
POSITIVE_WORDS = frozenset(
    {
        *("yes", "y", "true", "t", "1", "positive", "pos", "present", "sick", "ill", "disease"),
        *("malignant", "dead", "died", "deceased", "case", "event", "fail", "failed", "failure"),
        *("default", "churn", "churned", "fraud", "bad", "high", "abnormal", "readmitted"),
    }
)
LEAKING_NAMES = re.compile(
    r"outcome|result|discharge|death|died|diagnos|label|target", re.IGNORECASE
)
SMALL = 500  # rows below which every interval is wide
LEAST_FOR_GATE = 30  # rows of the rarer class, below which chance alone may fail a good model
IMBALANCED = 0.1
ROOM = 0.05  # of the rows: how many more may break than do today
MOST_SET_ASIDE = 0.9


@dataclass(frozen=True)
class TargetGuess:
    """The target's column, its classes with their source values, and the positive one of two."""

    name: str
    classes: Mapping[str, tuple[str, ...]]
    counts: Mapping[str, int]
    positive: str | None
    missing: int
    evidence: str


@dataclass(frozen=True)
class Onboarding:
    """All that was made out of a table, and the two documents of its problem."""

    target: TargetGuess
    columns: Sequence[Guess]
    remarks: Sequence[str]
    problem: str
    suite: str


def onboard_table(
    rows: pd.DataFrame, *, name: str, target: str, location: str, reading: Reading = PLAIN
) -> Onboarding:
    """Describe a table; `DataError` where its target cannot be predicted, with what was wanted.

    `reading` is how it was found to be written, where that is not plain.
    """
    _refuse_repeated(rows, location)
    place = _find_target(rows, target, location)
    written = tidy(str(rows.columns[place]))
    guessed = guess_target(written, cells_of(rows.iloc[:, place]), source=location)
    columns = guess_columns(rows, without=(guessed.name,))
    columns = [suspect_leak(guess, rows, place, guessed.name) for guess in columns]
    if not any(guess.role == "input" for guess in columns):
        message = f"{location}: no column is left to predict {target!r} from: " + "; ".join(
            f"{guess.name}: {guess.evidence}" for guess in columns[:5]
        )
        raise DataError(message)
    remarks = _remark(rows, columns, guessed)
    return Onboarding(
        guessed,
        columns,
        remarks,
        problem=write_problem(
            name, location, guessed, columns, remarks, rows=len(rows), reading=reading
        ),
        suite=write_suite(name, rows=len(rows)),
    )


def _refuse_repeated(rows: pd.DataFrame, location: str) -> None:
    counts = Counter(tidy(str(name)) for name in rows.columns)
    repeated = [repr(name) for name, count in counts.items() if name and count > 1]
    if repeated:
        shown = ", ".join(repeated[:5]) + (", ..." if repeated[5:] else "")
        message = f"{location}: {shown}: got several columns of this name, wanted each name once"
        raise DataError(message)


def _find_target(rows: pd.DataFrame, target: str, location: str) -> int:
    names = [tidy(str(name)) for name in rows.columns]
    wanted = tidy(target)
    places = [place for place, name in enumerate(names) if name == wanted]
    if not places:
        places = [place for place, name in enumerate(names) if name.lower() == wanted.lower()]
    if len(places) != 1:
        shown = ", ".join(map(repr, names[:20])) + (", ..." if len(names) > 20 else "")  # noqa: PLR2004
        message = f"{location}: --target: got {target!r}, wanted one of its columns: {shown}"
        raise DataError(message)
    return places[0]


def guess_target(name: str, cells: Sequence[Any], *, source: str) -> TargetGuess:
    """The classes of a target; the positive one is the word for it, or the rarer of two."""
    texts = [None if cell is None else spell(cell) for cell in cells]
    present = [t for t in texts if t is not None and not is_marker(t)]
    counts = Counter(present)
    if len(counts) < 2:  # noqa: PLR2004 - one class leaves nothing to tell apart
        message = f"{source}: column {name!r}: got {len(counts)} value(s), wanted at least two"
        raise DataError(message)
    if len(counts) > MOST_CLASSES:
        message = (
            f"{source}: column {name!r}: got {len(counts)} different values, wanted at most "
            f"{MOST_CLASSES} classes (a number to predict is not supported yet)"
        )
        raise DataError(message)
    rare = [text for text, count in counts.items() if count < LEAST_OF_A_CLASS]
    if rare:
        message = (
            f"{source}: column {name!r}: {len(rare)} of its {len(counts)} values stand in one row "
            "only; wanted several rows of each class"
        )
        raise DataError(message)
    ordered = sorted(counts, key=lambda text: (_number_or_end(text), text))
    named = {_class_name(text, ordered): text for text in ordered}
    positive = _choose_positive(named, counts) if len(named) == 2 else None  # noqa: PLR2004
    told = ", ".join(f"{text!r} in {counts[text]} rows" for text in ordered[:10])
    return TargetGuess(
        name,
        {label: (text,) for label, text in named.items()},
        {label: counts[text] for label, text in named.items()},
        positive,
        len(texts) - len(present),
        told,
    )


def _number_or_end(text: str) -> float:
    number = read_number(text)
    return float("inf") if number is None else number


def _class_name(text: str, all_texts: Sequence[str]) -> str:
    """Class names are words: 0 and 1 are called no and yes, however they are written."""
    if sorted(map(_number_or_end, all_texts)) == [0.0, 1.0]:
        return "yes" if _number_or_end(text) == 1 else "no"
    return text


def _choose_positive(named: Mapping[str, str], counts: Counter[str]) -> str:
    by_word = [name for name in named if name.lower() in POSITIVE_WORDS]
    if len(by_word) == 1:
        return by_word[0]
    return min(named, key=lambda name: (counts[named[name]], name))


def _remark(rows: pd.DataFrame, columns: Sequence[Guess], target: TargetGuess) -> tuple[str, ...]:
    """What a person should know before they trust the table."""
    remarks = []
    repeated = int(rows.astype(str).duplicated().sum())
    if repeated:
        remarks.append(f"{repeated} of {len(rows)} rows repeat an earlier one in every cell")
    smallest = min(target.counts.values()) / max(sum(target.counts.values()), 1)
    if smallest < IMBALANCED:
        remarks.append(f"the rarest class has {smallest:.2%} of the rows")
    if len(rows) < SMALL:
        remarks.append(f"{len(rows)} rows are few: every figure has a wide interval")
    if target.missing:
        remarks.append(f"{target.missing} rows have no {target.name!r} and cannot teach")
    dates = [guess.name for guess in columns if guess.kind == "date" and guess.role == "input"]
    if dates:
        remarks.append(f"{', '.join(dates)}: dates go on, and no model knows what comes after them")
    groups = [guess.name for guess in columns if guess.kind == "group"]
    if groups:
        remarks.append(
            f"{', '.join(groups)}: several rows each, which may stand on both sides of a split"
        )
    suspects = [
        guess.name
        for guess in columns
        if guess.role == "input" and LEAKING_NAMES.search(guess.name)
    ]
    if suspects:
        remarks.append(f"{', '.join(suspects)}: by the name, perhaps known only afterwards")
    return tuple(remarks)


def _reading_lines(reading: Reading) -> list[str]:
    """How the table is written: pinned where no line names its columns, else told.

    Where names are known each file tells how it is written, and another may come with other signs.
    """
    if reading.is_plain:
        return []
    keys = _yaml(reading.to_keys())
    if reading.header is False:
        return [f"reading: {keys}  # no line names the columns"]
    return [f"# Found written so; to refuse what is written otherwise: reading: {keys}"]


def write_problem(
    name: str,
    location: str,
    target: TargetGuess,
    columns: Sequence[Guess],
    remarks: Sequence[str],
    *,
    rows: int,
    reading: Reading = PLAIN,
) -> str:
    """The problem file, with the evidence of each guess as a comment."""
    lines = [
        f"# Guessed from {rows} rows of a table; every key is explained in CONTRIBUTING.md.",
        *(f"# Note: {_comment(remark)}" for remark in remarks),
        f"title: {_yaml(name.replace('_', ' '))}",
        f"source: {{kind: file, location: {_yaml(location)}}}",
        *_reading_lines(reading),
        "",
        f"# {_comment(target.evidence)}",
        "target:",
        f"  name: {_yaml(target.name)}",
        "  classes:",
        *(
            f"    {_yaml(label)}: [{', '.join(map(_yaml, values))}]"
            for label, values in target.classes.items()
        ),
    ]
    if target.positive is not None:
        lines.append(f"  positive: {_yaml(target.positive)}")
    lines += ["", *_write_goal(target), ""]
    share = min(target.missing / max(rows, 1) + ROOM, MOST_SET_ASIDE)
    lines.append(f"max_quarantined_share: {round(share, 3)}")
    left_out = [guess for guess in columns if guess.role == "ignored"]
    if left_out:
        lines += ["", "ignored:"]
        for guess in left_out:
            lines += [f"  # {guess.kind}: {_comment(guess.evidence)}", f"  - {_yaml(guess.name)}"]
    lines += ["", "columns:"]
    for guess in columns:
        if guess.role == "input":
            lines.append(f"  # {_comment(guess.evidence)}")
            lines.append(f"  {_yaml(guess.name)}:")
            lines += [f"    {key}: {_yaml(value)}" for key, value in guess.keys.items()]
    return "\n".join(lines) + "\n"


def _write_goal(target: TargetGuess) -> list[str]:
    """Two classes are ranked, more are told apart; a gate asks for more than guessing."""
    if target.positive is None:
        return ["goal: {maximise: f1}  # the mean over the classes, so that each counts the same"]
    smallest = min(target.counts.values())
    if smallest < LEAST_FOR_GATE:
        told = f"# No gate: {smallest} rows of the rarer class are too few to hold one to a bound."
        return ["goal: {maximise: roc_auc}", told]
    return [
        "goal: {maximise: roc_auc}",
        "gates:",
        "  - {metric: test_roc_auc, at_least: 0.55}  # better than guessing",
    ]


def write_suite(name: str, *, rows: int) -> str:
    """The expectations: what the problem file declares, and as many rows as a table needs."""
    return "\n".join(
        [
            f"# What must hold of the rows. `derive: true` adds, from data/problems/{name}.yaml,",
            "# that values are in their ranges and categories, and missing only where allowed.",
            "derive: true",
            "expectations:",
            "  - expect: ExpectTableRowCountToBeBetween",
            "    severity: critical",
            "    meaning: not far fewer rows than at the beginning",
            f"    arguments: {{min_value: {max(2, rows // 2)}}}",
            "",
        ]
    )


def _yaml(value: Any) -> str:
    text = yaml.safe_dump(
        value, default_flow_style=True, width=10**6, allow_unicode=True, sort_keys=False
    )
    return text.removesuffix("...\n").strip()


def _comment(text: str) -> str:
    return " ".join(text.split())
