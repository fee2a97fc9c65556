"""Which columns name rows, or what several rows belong to."""

from collections import Counter

import pytest

from driftline.identities import find_identity

ONCE = [str(10 * i + 3) for i in range(200)]
REPEATED = [str(i // 2 * 7) for i in range(200)]


@pytest.mark.parametrize("name", ["rownames", "Row.Names", "pupilNR", "orderId", "id", "serial"])
def test_values_that_occur_once_under_the_name_of_an_id_are_ids(name: str) -> None:
    assert _kind(name, ONCE) == "id"


@pytest.mark.parametrize("name", ["id", "schoolNR", "class_id", "hospitalId", "patient_number"])
def test_many_values_that_come_again_under_the_name_of_an_id_are_groups(name: str) -> None:
    assert _kind(name, REPEATED) == "group"


@pytest.mark.parametrize("name", ["income", "price_index", "number", "covid", "humid", "AVOID"])
def test_other_names_tell_of_no_group(name: str) -> None:
    assert _kind(name, REPEATED) is None


def test_few_values_under_the_name_of_an_id_are_no_group() -> None:
    assert _kind("admission_type_id", [str(i % 8) for i in range(200)]) is None


def _kind(name: str, cells: list[str]) -> str | None:
    found = find_identity(name, cells, Counter(cells))
    return None if found is None else found[0]
