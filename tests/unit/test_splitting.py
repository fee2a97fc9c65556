import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.splitting import split_holdout, subsample, unseen_rows


def digests_of(rows: list[int]) -> list[str]:
    return [hashlib.sha256(str(row).encode()).hexdigest() for row in rows]


rows_with_classes = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 2)), min_size=6).map(
    lambda pairs: (digests_of([row for row, _ in pairs]), np.array([label for _, label in pairs]))
)
sizes = st.floats(0.05, 0.95)
seeds = st.integers(0, 50)


@given(rows=rows_with_classes, test_size=sizes, seed=seeds)
def test_the_two_sides_partition_the_rows(
    rows: tuple[list[str], np.ndarray], test_size: float, seed: int
) -> None:
    digests, classes = rows

    train, test = split_holdout(digests, classes, test_size=test_size, seed=seed)

    assert sorted([*train, *test]) == list(range(len(digests)))


@given(rows=st.lists(st.integers(0, 40), min_size=4, max_size=80), seed=seeds)
def test_duplicates_fall_on_the_same_side(rows: list[int], seed: int) -> None:
    """Else a model would be scored on rows that it was fitted on."""
    digests = digests_of(rows)
    classes = np.array([row % 2 for row in rows])

    train, test = split_holdout(digests, classes, test_size=0.3, seed=seed)

    assert not {digests[i] for i in train} & {digests[i] for i in test}


@given(seed=seeds, test_size=sizes)
def test_each_class_is_split_by_the_same_share(seed: int, test_size: float) -> None:
    digests = digests_of(list(range(500)))
    classes = np.array([0] * 400 + [1] * 100)

    _, test = split_holdout(digests, classes, test_size=test_size, seed=seed)

    assert (classes[test] == 0).sum() == round(test_size * 400)
    assert (classes[test] == 1).sum() == round(test_size * 100)


@pytest.mark.parametrize("test_size", [0.001, 0.999])
def test_each_class_stands_on_both_sides(test_size: float) -> None:
    digests, classes = digests_of([1, 2, 3, 4, 5]), np.array([0, 0, 0, 1, 1])

    train, test = split_holdout(digests, classes, test_size=test_size, seed=0)

    assert set(classes[train]) == set(classes[test]) == {0, 1}


@given(seed=seeds, order=st.permutations(list(range(60))))
def test_row_order_does_not_matter(seed: int, order: list[int]) -> None:
    digests, classes = digests_of(list(range(60))), np.arange(60) % 3

    _, test = split_holdout(digests, classes, test_size=0.25, seed=seed)
    moved = [digests[i] for i in order]
    _, moved_test = split_holdout(moved, classes[order], test_size=0.25, seed=seed)

    assert {digests[i] for i in test} == {moved[i] for i in moved_test}


def test_appended_rows_move_few_old_ones() -> None:
    """A challenger's test rows are mostly rows that the champion has not seen either."""
    digests, classes = digests_of(list(range(2000))), np.arange(2000) % 2

    _, before = split_holdout(digests[:1600], classes[:1600], test_size=0.25, seed=0)
    _, after = split_holdout(digests, classes, test_size=0.25, seed=0)

    stayed = {digests[i] for i in before} & {digests[i] for i in after}
    assert len(stayed) >= 0.9 * len(before)


def test_another_seed_gives_another_split() -> None:
    digests, classes = digests_of(list(range(200))), np.zeros(200, dtype=np.int64)

    _, one = split_holdout(digests, classes, test_size=0.25, seed=0)
    _, other = split_holdout(digests, classes, test_size=0.25, seed=1)

    assert set(one) != set(other)


@given(share=st.floats(0.01, 1), least=st.integers(1, 20), seed=seeds)
def test_a_subsample_keeps_its_share_of_each_class(share: float, least: int, seed: int) -> None:
    digests, classes = digests_of(list(range(100))), np.array([0] * 80 + [1] * 20)

    kept = subsample(digests, classes, share=share, least=least, seed=seed)

    assert len(set(kept)) == len(kept)
    for label, count in ((0, 80), (1, 20)):
        assert (classes[kept] == label).sum() == min(count, max(round(share * count), least))


def test_a_smaller_subsample_is_part_of_a_larger_one() -> None:
    digests, classes = digests_of(list(range(100))), np.arange(100) % 2

    small = subsample(digests, classes, share=0.2, least=1, seed=3)
    large = subsample(digests, classes, share=0.5, least=1, seed=3)

    assert set(small) < set(large)


def test_unseen_rows_are_those_not_seen() -> None:
    digests = digests_of([1, 2, 3, 2])

    rows = unseen_rows(digests, digests_of([2, 9]))

    assert rows.tolist() == [0, 2]
