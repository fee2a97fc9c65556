import pytest

from driftline.errors import NotFoundError
from driftline.verdicts import Quarantined
from flows.release import choose

WAITING = [
    Quarantined("abc1", 1, 4, ("level: stuck at one value",)),
    Quarantined("abd2", 5, 9, ("level: stuck at one value",)),
    Quarantined("abe3", 10, 12, ("age: stuck at one value",), is_dropped=True),
]


def test_a_verdict_is_chosen_by_the_beginning_of_its_key() -> None:
    assert choose(WAITING, "abd") == [WAITING[1]]


def test_all_are_those_that_still_wait() -> None:
    assert choose(WAITING, "all") == WAITING[:2]


@pytest.mark.parametrize("key", ["ab", "zz", "abe3"])
def test_a_beginning_that_is_nobodys_or_several_is_refused(key: str) -> None:
    with pytest.raises(NotFoundError, match=f"--verdict: got '{key}'"):
        choose(WAITING, key)
