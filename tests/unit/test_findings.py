import pytest

from driftline.drift import ColumnChange
from driftline.findings import Inputs, column_of
from driftline.joint import JointChange
from driftline.relations import RelationChange

USE = {"glucose": 0.6, "age": 0.3, "skin": 0.05, "town": 0.03, "pulse": 0.02}


def changed(column: str, effect: float, noise: float = 0.05) -> ColumnChange:
    return ColumnChange(column, "Wasserstein / sd", effect, 0.3, noise, 0.0)


def relation(one: str, other: str) -> RelationChange:
    return RelationChange((one, other), 0.9, -0.9, 2.9, 0.5, 0.2)


def inputs(*changes: ColumnChange, **others: object) -> Inputs:
    return Inputs(500, changes=changes, **others)  # type: ignore[arg-type]


def test_a_column_that_much_rests_on_counts_sooner_than_three_that_hardly_matter() -> None:
    key = inputs(changed("glucose", 0.24))
    trifles = inputs(changed("skin", 2.0), changed("town", 2.0), changed("pulse", 2.0))

    assert key.used_share(USE) == pytest.approx(0.6 * 0.64)
    assert trifles.used_share(USE) == pytest.approx(0.1)


def test_a_change_within_noise_counts_for_nothing() -> None:
    assert inputs(changed("glucose", 0.29, noise=0.4)).used_share(USE) == 0


def test_columns_share_alike_where_nothing_is_known_of_their_use() -> None:
    assert inputs(changed("a", 1.0), changed("b", 0.0)).used_share({}) == pytest.approx(0.5)


def test_a_broken_relation_counts_as_far_as_both_columns_are_relied_on() -> None:
    strong = inputs(relations=(relation("glucose", "age"),))
    weak = inputs(relations=(relation("glucose", "pulse"),))

    assert strong.used_share(USE) == pytest.approx(0.6)
    assert weak.used_share(USE) == pytest.approx(0.04)


def test_what_a_person_has_accepted_counts_as_a_change_of_the_whole_column() -> None:
    fault = "glucose: about 90% of the rows do not fit the rest of their row"
    seen = inputs(changed("glucose", 0.1), changed("age", 0.1), known=(fault,))

    assert seen.used_share(USE) == pytest.approx(0.6 + 0.3 * (0.1 / 0.3) ** 2)


def test_a_fault_is_of_the_column_with_the_longest_name_and_of_none_where_rows_repeat() -> None:
    columns = ("bmi", "bmi: measured")

    assert column_of("bmi: measured: stuck at one value", columns) == "bmi: measured"
    assert column_of("about 40% of the rows repeat one record", columns) is None


def test_what_is_relied_on_is_told_first() -> None:
    seen = inputs(changed("skin", 2.0), changed("glucose", 0.5), changed("age", 0.1))

    assert [finding.about for finding in seen.findings(USE)] == ["glucose", "skin"]


def test_a_broken_relation_is_a_finding_with_its_figures() -> None:
    (finding,) = inputs(relations=(relation("glucose", "age"),)).findings(USE)

    assert finding.about.startswith("relations of ")
    assert "(+0.90 before, -0.90 now)" in finding.text
    assert finding.strength == pytest.approx(5.8)


def test_rows_that_changed_as_wholes_are_told_with_how_many_were_looked_at() -> None:
    joint = JointChange(0.9, 0.65, 0.55, 10_000, 500, ("glucose", "age"))

    (finding,) = inputs(joint=joint).findings(USE)

    assert "tells 500 current from 10000 reference rows with an area of 0.90" in finding.text
    assert "most by glucose, age (90% of what the model relies on)" in finding.text


def test_rows_are_not_told_of_again_by_columns_that_are_told_of() -> None:
    joint = JointChange(0.9, 0.65, 0.55, 500, 500, ("glucose",))

    findings = inputs(changed("glucose", 1.0), joint=joint).findings(USE)

    assert [finding.about for finding in findings] == ["glucose"]


def test_changed_answers_are_a_finding() -> None:
    (finding,) = inputs(answers=(changed("ill", 0.8),), sampled=500).findings(USE)

    assert "probability of 'ill' changed: Wasserstein / sd 0.80" in finding.text
    assert "on 500 rows" in finding.text
