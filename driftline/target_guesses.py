"""What a target is taken for: classes or a number, and how a problem file says so."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import yaml

from driftline.errors import DataError
from driftline.inference import describe_number
from driftline.missing_codes import find_unsaid, find_words
from driftline.numbers import find_unfit
from driftline.positives import choose_by_word
from driftline.spelling import is_marker, read_number, spell_all
from driftline.variants import merge_spellings

MOST_CLASSES = 30
LEAST_OF_A_CLASS = 2  # rows, below which a number is no class
LEAST_OF_A_SPLIT = 3  # rows of a class: for two folds and a test set
LEAST_FOR_GATE = 30  # rows of the rarer class, below which chance alone may fail a good model
LEAST_FOR_NUMBER_GATE = 100  # rows below which the share that is explained says little
IMBALANCED = 0.1
RARE_NAMED = 5
MOST_STEPS = 10  # numbers that differ, up to which they are classes though some stand in one row


@dataclass(frozen=True)
class TargetGuess:
    """The target's column, its classes with their source values, and the positive one of two."""

    name: str
    classes: Mapping[str, tuple[str, ...]]
    counts: Mapping[str, int]
    positive: str | None
    missing: int
    evidence: str

    @property
    def is_number(self) -> bool:
        """No: it has classes."""
        return False

    @property
    def most_folds(self) -> int:
        """In how many folds every class can be, beside a test set."""
        return min(self.counts.values()) - 1

    def lines(self) -> list[str]:
        """The section `target` of the problem file."""
        lines = ["target:", f"  name: {as_yaml(self.name)}", "  classes:"]
        lines += [
            f"    {as_yaml(label)}: {as_yaml(list(values))}"
            for label, values in self.classes.items()
        ]
        return lines if self.positive is None else [*lines, f"  positive: {as_yaml(self.positive)}"]

    def goal_lines(self) -> list[str]:
        """Two classes are ranked, more are told apart; a gate asks for more than guessing."""
        if self.positive is None:
            meaning = "the mean over the classes, so that each counts the same"
            return [f"goal: {{maximise: f1}}  # {meaning}"]
        smallest = min(self.counts.values())
        if smallest < LEAST_FOR_GATE:
            told = (
                f"# No gate: {smallest} rows of the rarer class are too few to hold one to a bound."
            )
            return ["goal: {maximise: roc_auc}", told]
        return [
            "goal: {maximise: roc_auc}",
            "gates:",
            "  - {metric: test_roc_auc, at_least: 0.55}  # better than guessing",
        ]

    def remarks(self) -> list[str]:
        """What a person should know of it."""
        smallest = min(self.counts.values())
        share = smallest / max(sum(self.counts.values()), 1)
        if share >= IMBALANCED:
            return []
        told = f"the rarest class has {share:.2%} of the rows"
        if smallest >= LEAST_FOR_GATE or self.positive is None:
            return [told]
        advice = (
            f"go by the probability of {self.positive!r} rather than by the answer, and collect "
            "more of them"
        )
        return [f"{told}, {smallest} in all, which is too few to prove a model by: {advice}"]


@dataclass(frozen=True)
class NumberGuess:
    """The target's column where it holds numbers, of which `rows` are in the range."""

    name: str
    unit: str | None
    range: tuple[float, float]
    rows: int
    missing: int
    evidence: str

    @property
    def is_number(self) -> bool:
        """Yes."""
        return True

    @property
    def most_folds(self) -> int:
        """For how many folds there are rows enough, beside a test set."""
        return self.rows // 2 - 1

    def lines(self) -> list[str]:
        """The section `target` of the problem file."""
        lines = ["target:", f"  name: {as_yaml(self.name)}", "  kind: number"]
        lines += [] if self.unit is None else [f"  unit: {as_yaml(self.unit)}"]
        return [*lines, f"  range: {as_yaml(list(self.range))}  # what is beyond it is no truth"]

    def goal_lines(self) -> list[str]:
        """The error is lowered; a gate asks for more than guessing."""
        goal = "goal: {minimise: mae}"
        if self.rows < LEAST_FOR_NUMBER_GATE:
            return [goal, f"# No gate: {self.rows} rows are too few to hold a model to a bound."]
        return [goal, "gates:", "  - {metric: test_r2, at_least: 0.02}  # better than guessing"]

    def remarks(self) -> list[str]:
        """What a person should know of it."""
        return []


AnyTargetGuess = TargetGuess | NumberGuess


def guess_outcome(name: str, cells: Sequence[Any], *, source: str) -> AnyTargetGuess:
    """A number where the values are numbers and too many, or too rare, for classes.

    `DataError` where no model can tell such numbers.
    """
    number = guess_number(name, cells)
    unfit = find_unfit(np.array(_find_numbers(cells, number)))
    if unfit is not None:
        message = f"{source}: column {name!r}: {unfit}"
        raise DataError(message)
    return guess_target(name, cells, source=source) if number is None else number


def guess_number(name: str, cells: Sequence[Any]) -> NumberGuess | None:
    """The column as a number; None where its values are few, or are no numbers."""
    counts = _count(cells)
    words = find_words(counts)
    counts = Counter({text: counts[text] for text in counts if text not in words})
    is_rare = min(counts.values(), default=0) < LEAST_OF_A_CLASS
    if len(counts) <= (MOST_STEPS if is_rare else MOST_CLASSES):
        return None
    found = describe_number(name, list(counts.elements()), counts, ())
    if found is None:
        return None
    low, high = found.keys["range"]
    numbers = {text: read_number(text) for text in counts}
    rows = sum(
        counts[text]
        for text, number in numbers.items()
        if number is not None and low <= number <= high
    )
    told = found.evidence + _tell_unsaid(words)
    return NumberGuess(name, found.keys.get("unit"), (low, high), rows, len(cells) - rows, told)


def _count(cells: Sequence[Any]) -> Counter[str]:
    """How many cells hold each text, but for those that are empty or say so."""
    texts = spell_all(cells)
    return Counter(text for text in texts if text is not None and not is_marker(text))


def _tell_unsaid(texts: Sequence[str]) -> str:
    return f"; {', '.join(map(repr, sorted(texts)))} stand for a missing value" if texts else ""


def _find_numbers(cells: Sequence[Any], guess: NumberGuess | None) -> list[float]:
    """What would be predicted as numbers: those of the range, or too many for classes."""
    present = [text for text in spell_all(cells) if text is not None and not is_marker(text)]
    numbers = [number for text in present if (number := read_number(text)) is not None]
    if guess is not None:
        return [number for number in numbers if guess.range[0] <= number <= guess.range[1]]
    is_plain = len(numbers) == len(present) and len(set(present)) > MOST_CLASSES
    return numbers if is_plain else []


def guess_target(name: str, cells: Sequence[Any], *, source: str) -> TargetGuess:
    """The classes of a target; the positive one is the word for it, or the rarer of two."""
    counts = _count(cells)
    unsaid = find_unsaid(counts)
    counts = Counter({text: counts[text] for text in counts if text not in unsaid})
    missing = len(cells) - counts.total()
    written = counts
    spellings = {one: (one, *others) for one, others in merge_spellings(counts).items()}
    counts = Counter({one: sum(written[text] for text in spellings[one]) for one in spellings})
    _check_classes(counts, missing, f"{source}: column {name!r}")
    ordered = sorted(counts, key=lambda text: (_number_or_end(text), text))
    named = {_class_name(text, ordered): text for text in ordered}
    positive = _choose_positive(named, counts) if len(named) == 2 else None  # noqa: PLR2004
    shown = [text for one in ordered for text in spellings[one]]
    told = ", ".join(f"{text!r} in {written[text]} rows" for text in shown[:10])
    return TargetGuess(
        name,
        {label: spellings[text] for label, text in named.items()},
        {label: counts[text] for label, text in named.items()},
        positive,
        missing,
        told + _tell_unsaid(unsaid),
    )


def _check_classes(counts: Counter[str], missing: int, where: str) -> None:
    """Raise `DataError` where there are too few or too many classes, or one of a single row."""
    if len(counts) < 2:  # noqa: PLR2004 - one class leaves nothing to tell apart
        beside = f" beside {missing} cells that are empty or say so (such as NA)" if missing else ""
        message = f"{where}: got {len(counts)} value(s){beside}, wanted at least two"
        raise DataError(message)
    if len(counts) > MOST_CLASSES:
        message = (
            f"{where}: got {len(counts)} different values, wanted at most {MOST_CLASSES} classes, "
            "or plain numbers"
        )
        raise DataError(message)
    single = [text for text, count in counts.items() if count == 1]
    rare = single or [text for text, count in counts.items() if count < LEAST_OF_A_SPLIT]
    if rare:
        named = ", ".join(repr(text) for text in sorted(rare)[:RARE_NAMED])
        rows = "one row" if single else "two rows"
        more = f" and {len(rare) - RARE_NAMED} more" if len(rare) > RARE_NAMED else ""
        message = (
            f"{where}: {len(rare)} of its {len(counts)} values stand in {rows} only ({named}"
            f"{more}); wanted several rows of each class: leave those rows out, or give them a "
            "class in common"
        )
        raise DataError(message)


def _number_or_end(text: str) -> float:
    number = read_number(text)
    return float("inf") if number is None else number


def _class_name(text: str, all_texts: Sequence[str]) -> str:
    """Class names are words: 0 and 1 are called no and yes, however they are written."""
    if sorted(map(_number_or_end, all_texts)) == [0.0, 1.0]:
        return "yes" if _number_or_end(text) == 1 else "no"
    return text


def _choose_positive(named: Mapping[str, str], counts: Counter[str]) -> str:
    by_word = choose_by_word(named)
    if by_word is not None:
        return by_word
    return min(named, key=lambda name: (counts[named[name]], name))


def as_yaml(value: Any) -> str:
    """A value on one line of YAML."""
    text = yaml.safe_dump(
        value, default_flow_style=True, width=10**6, allow_unicode=True, sort_keys=False
    )
    return text.removesuffix("...\n").strip()


def as_comment(text: str) -> str:
    """Text on one line."""
    return " ".join(text.split())
