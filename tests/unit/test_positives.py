"""Which of two classes is the positive one, however often each of them stands in the table."""

import pytest

from driftline.positives import choose_by_word
from driftline.target_guesses import TargetGuess, guess_outcome

PAIRS = [
    ("nein", "ja"),
    ("Non", "OUI"),
    ("NO", "SÍ"),
    ("não", "sim"),
    ("hay\u0131r", "evet"),
    ("ei", "kyllä"),
    ("нет", "да"),
    ("\u03cc\u03c7\u03b9", "\u03bd\u03b1\u03b9"),
    ("否", "是"),
    ("いいえ", "はい"),
    ("N", "J"),
    ("F", "V"),
    ("-", "+"),
    ("off", "on"),
    ("✗", "✓"),
    ("0", "2"),
    ("0.0", "1"),
    ("None", "Diabetes"),
    ("control", "treated"),
    ("alive", "lost"),
    ("no churn", "Churn"),
    ("non-smoker", "Smoker"),
    ("good", "bad"),
    ("gesund", "krank"),
]


@pytest.mark.parametrize(("no", "yes"), PAIRS)
@pytest.mark.parametrize("share", [0.2, 0.8])
def test_the_word_tells_and_not_which_of_them_is_rarer(no: str, yes: str, share: float) -> None:
    count = round(100 * share)

    guess = guess_outcome("y", [yes] * count + [no] * (100 - count), source="rows.csv")

    assert isinstance(guess, TargetGuess)
    assert guess.positive is not None
    assert guess.classes[guess.positive] == (yes,)


@pytest.mark.parametrize("pair", [("F", "M"), ("red", "blue"), ("<=50K", ">50K"), ("yes", "ja")])
def test_words_that_say_neither_do_not_tell(pair: tuple[str, str]) -> None:
    assert choose_by_word(pair) is None
