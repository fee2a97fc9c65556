"""Spellings of one word are one category and one class; other words stay apart."""

import pytest

from driftline.inference import guess_column
from driftline.problem import parse_problem
from driftline.target_guesses import TargetGuess, as_yaml, guess_outcome
from driftline.variants import merge_spellings


@pytest.mark.parametrize(
    ("words", "merged"),
    [
        (
            ["True", "TRUE", "true", "False", "FALSE"],
            [["FALSE", "False"], ["TRUE", "True", "true"]],
        ),
        (["Y", "yes", "N", "no"], [["N", "no"], ["Y", "yes"]]),
        (["J", "ja", "N", "Nein"], [["J", "ja"], ["N", "Nein"]]),
        (["ja", "Ja", "nej", "NEJ"], [["Ja", "ja"], ["NEJ", "nej"]]),
        (["S", "Sí", "n", "No"], [["No", "n"], ["S", "Sí"]]),
        (["1", "0", "true", "false"], [["0", "false"], ["1", "true"]]),
        (["M", "m", "Male", "F", "female"], [["F", "female"], ["M", "Male", "m"]]),
        (["red", "Red", "RED", "blue"], [["RED", "Red", "red"], ["blue"]]),
        (["type 2", "Type 2", "Type 1"], [["Type 1"], ["Type 2", "type 2"]]),
    ],
)
def test_spellings_of_one_word_are_one(words: list[str], merged: list[list[str]]) -> None:
    found = merge_spellings(dict.fromkeys(words, 9))

    assert sorted(sorted([one, *others]) for one, others in found.items()) == merged


@pytest.mark.parametrize(
    "words",
    [
        ["AA", "Aa", "aa"],
        ["m", "s", "S"],
        ["Y", "N", "maybe", "yes"],
        ["AbC", "aBc"],
        ["1", "1.0", "2"],
    ],
)
def test_what_may_be_another_word_stays_apart(words: list[str]) -> None:
    assert merge_spellings(dict.fromkeys(words, 9)) == dict.fromkeys(sorted(words), ())


def test_the_most_frequent_spelling_names_a_category_and_the_others_are_its_aliases() -> None:
    guess = guess_column("smoker", ["True"] * 40 + ["TRUE"] * 9 + ["False"] * 30 + ["false"] * 3)

    assert guess.keys["categories"] == {"False": ["false"], "True": ["TRUE"]}
    assert "the rarest stands in 33 of 82 cells" in guess.evidence


def test_a_target_of_many_spellings_has_two_classes() -> None:
    cells = ["no", "No", "NO", "n"] * 20 + ["yes", "YES", "Y", "Yes"] * 20

    guess = guess_outcome("y", cells, source="rows.csv")

    assert isinstance(guess, TargetGuess)
    assert guess.positive is not None
    assert sorted(guess.classes[guess.positive]) == ["Y", "YES", "Yes", "yes"]
    target = "\n".join(guess.lines())
    source = as_yaml({"kind": "file", "location": "rows.csv"})
    text = (
        f"title: t\nsource: {source}\n{target}\ngoal: {{maximise: roc_auc}}\ncolumns: {{x: {{}}}}"
    )
    parse_problem(text, name="t", file="t.yaml")
