"""The page that shows what was checked."""

import re

from tasks.data.tables import store_table
from tasks.data.validation import Validation, check_expectations
from tests.support import TINY_SUITE
from tests.tasks.data.checking import STUCK, check, cleaned, suite_of


def test_the_data_docs_are_a_page_that_names_what_was_checked(sound: Validation) -> None:
    page = sound.page.decode()

    assert page.lstrip().lower().startswith("<!doctype html>")
    assert "level" in page
    assert "Expectation" in page


def test_the_data_docs_say_what_each_rule_means_and_whether_it_held() -> None:
    rule = {**STUCK, "meaning": "ages of <living> people"}

    page = check(cleaned(age=20).table, *TINY_SUITE["expectations"], rule).page.decode()

    assert "<td>enough rows to learn from</td><td>critical</td><td>held</td>" in page
    assert "<td>ages of &lt;living&gt; people</td><td>critical</td><td>failed</td>" in page


def test_the_data_docs_say_how_the_table_was_read() -> None:
    suite = suite_of(*TINY_SUITE["expectations"])

    page = check_expectations.fn(store_table(cleaned().table), suite, "a; <b>").page.decode()

    assert "<p>read as: a; &lt;b&gt;</p>" in page


def test_the_data_docs_are_complete_without_a_network(sound: Validation) -> None:
    page = sound.page.decode()

    fetched = re.findall(r"<(?:link|img|script|iframe)[^>]*(?:src|href)=.?(?:https?:)?//", page)
    assert fetched == []
    assert "url(http" not in page
    assert "<style>" in page
