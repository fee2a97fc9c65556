import pytest
from pydantic import BaseModel, ConfigDict

from driftline.documents import parse_document
from driftline.errors import ProblemError


class Bound(BaseModel):
    model_config = ConfigDict(extra="forbid")

    limit: float


class Page(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: str
    is_open: bool = False
    answers: tuple[str, ...] = ()
    bounds: tuple[Bound, ...] = ()


class Codes(BaseModel):
    codes: tuple[str, ...]


def read(text: str) -> Page:
    return parse_document(text, file="page.yaml", model=Page)


@pytest.mark.parametrize("word", ["YES", "NO", "Yes", "no", "on", "OFF", "y", "N"])
def test_words_of_agreement_stay_text(word: str) -> None:
    """YAML 1.1 would read them as booleans, and they are common categories."""
    text = f"title: t\nanswers: [{word}]"

    page = read(text)

    assert page.answers == (word,)


@pytest.mark.parametrize(("word", "meaning"), [("true", True), ("True", True), ("false", False)])
def test_true_and_false_are_booleans(word: str, meaning: bool) -> None:
    text = f"title: t\nis_open: {word}"

    page = read(text)

    assert page.is_open is meaning


def test_a_key_given_twice_is_refused_with_its_line() -> None:
    text = "title: one\nis_open: true\ntitle: two"

    with pytest.raises(ProblemError) as raised:
        read(text)

    assert str(raised.value) == "page.yaml: line 3: key 'title' is given twice; wanted once"


def test_an_unknown_key_is_refused_with_the_key_that_was_meant() -> None:
    text = "titel: t\ntitle: t"

    with pytest.raises(ProblemError) as raised:
        read(text)

    assert str(raised.value) == "page.yaml: titel: unknown key; did you mean 'title'?"


def test_an_unknown_key_deep_in_the_file_is_named_by_its_whole_path() -> None:
    text = "title: t\nbounds: [{limit: 1}, {limit: 2, limt: 3}]"

    with pytest.raises(ProblemError) as raised:
        read(text)

    assert str(raised.value) == "page.yaml: bounds.1.limt: unknown key; did you mean 'limit'?"


def test_every_mistake_is_told_on_a_line_of_its_own() -> None:
    text = "is_open: maybe\nbounds: [{limit: high}]"

    with pytest.raises(ProblemError) as raised:
        read(text)

    first, second, third = str(raised.value).splitlines()
    assert first == "page.yaml: title: missing; wanted a value"
    assert second.startswith("page.yaml: is_open: got 'maybe', wanted: a valid boolean")
    assert third.startswith("page.yaml: bounds.0.limit: got 'high', wanted: a valid number")


@pytest.mark.parametrize(
    ("text", "got"), [("", "an empty file"), ("- a\n- b", "list"), ("word", "str")]
)
def test_a_file_that_is_not_a_mapping_is_refused(text: str, got: str) -> None:
    with pytest.raises(ProblemError) as raised:
        read(text)

    assert str(raised.value) == f"page.yaml: got {got}, wanted a mapping of keys to values"


def test_text_that_is_not_yaml_is_refused_with_its_place() -> None:
    with pytest.raises(ProblemError, match=r"(?s)page.yaml: not valid YAML: .*line 2"):
        read("title: [one\nother: }")


def test_a_file_may_not_set_what_its_own_name_says() -> None:
    with pytest.raises(ProblemError) as raised:
        parse_document("title: mine", file="page.yaml", model=Page, given={"title": "page"})

    assert str(raised.value) == "page.yaml: title: set by the file's own name; wanted it left out"


def test_a_python_object_in_yaml_is_refused() -> None:
    with pytest.raises(ProblemError, match="not valid YAML"):
        read("title: !!python/object/apply:os.getcwd []")


CODES = ["007", "010", "1.50", "8:30", "2020-01-02", "1_000", "0x1f", "true", "1e3", "yes", "1"]


@pytest.mark.parametrize("code", CODES)
def test_a_code_is_text_as_it_was_written(code: str) -> None:
    """YAML would make 7, 8, 1.5, 510, a date, 1000, 31 and True of some of them."""
    text = f"title: t\nanswers: [{code}]"

    page = parse_document(text, file="page.yaml", model=Page, written=("answers",))

    assert page.answers == (code,)


def test_only_what_is_named_is_read_as_written() -> None:
    text = "title: t\nanswers: [1]\nbounds: [{limit: 1e1}, {limit: 010}]\nis_open: true"

    page = parse_document(text, file="page.yaml", model=Page, written=("answers", "bounds.1.x"))

    assert page.is_open
    assert page.bounds[0].limit == 10.0


def test_a_name_given_twice_in_two_forms_is_given_twice() -> None:
    with pytest.raises(ProblemError, match="is given twice"):
        read("title: t\n'gr\u00f6\u00dfe': 1\n'gro\u0308\u00dfe': 2")


@pytest.mark.parametrize("text", ["title: !x y", "? [a]\n: b", "a: &a [*a]", "!!python/x y"])
def test_what_yaml_cannot_build_is_a_mistake_with_its_file(text: str) -> None:
    with pytest.raises(ProblemError, match=r"^page\.yaml: "):
        read(text)


@pytest.mark.parametrize("code", ["=", "<<", "~", "null", "0o17", "1_000", "2:00"])
def test_a_code_in_a_list_is_text_whatever_yaml_has_for_it(code: str) -> None:
    """A sign that YAML keeps for itself is a code like any other."""
    found = parse_document(f"codes: [a, {code}]", file="x.yaml", model=Codes, written=["codes"])

    assert found.codes == ("a", code)


def test_what_is_not_written_is_no_code() -> None:
    """An empty item of a list is a mistake and no text."""
    with pytest.raises(ProblemError, match=r"codes.1: got nothing, wanted: text"):
        parse_document("codes:\n- a\n-\n", file="x.yaml", model=Codes, written=["codes"])


@pytest.mark.parametrize(
    ("written", "number"),
    [("010", 10.0), ("0x1F", 31.0), ("0o17", 15.0), ("1_000", 1000.0), ("1e5", 1e5), ("-.5", -0.5)],
)
def test_numbers_are_read_as_yaml_1_2_has_them(written: str, number: float) -> None:
    """A leading zero makes no octal number, and an exponent needs no sign."""
    assert parse_document(f"limit: {written}", file="x.yaml", model=Bound).limit == number


def test_a_time_is_no_number() -> None:
    """YAML 1.1 took `2:00` for 120 seconds."""
    with pytest.raises(ProblemError, match="limit: got '2:00', wanted: a valid number"):
        parse_document("limit: 2:00", file="x.yaml", model=Bound)


def test_a_date_that_there_never_was_is_left_to_its_key() -> None:
    """The key is named, where YAML's own error names nothing."""
    with pytest.raises(ProblemError, match="limit: got '2024-02-30', wanted: a valid number"):
        parse_document("limit: 2024-02-30", file="x.yaml", model=Bound)
