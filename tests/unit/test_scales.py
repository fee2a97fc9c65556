"""Which levels have an order, and which have none."""

import pytest

from driftline.scales import order_levels

ORDERED = [
    ("ranks", "", ["1st", "2nd", "3rd"]),
    ("numbers in front", "", ["1_Good", "2_Fair", "3_Poor"]),
    ("numbers in front of spans", "", ["2_11-20", "3_21-50", "4_51+"]),
    ("steps", "", ["9 of 10", "10 of 10", "11 of 10"]),
    ("bins", "", ["[0-10)", "[10-20)", "[100-110)"]),
    ("spans", "", ["0", "1", "2-10", "11-100", "Over 100"]),
    ("open ends", "", ["<1", "1", "2", "3", "5+"]),
    ("how often", "", ["Never", "Seldom", "Sometimes", "Most-Often", "Always"]),
    ("how much", "", ["Low", "Medium", "High", "Very_High"]),
    ("how good", "", ["Bad", "Good", "Better", "Best"]),
    ("sizes", "size", ["S", "M", "L", "XL"]),
    ("agreement", "", ["strongly disagree", "neutral", "agree", "strongly agree"]),
    ("education", "", ["Below_College", "College", "Bachelor", "Master", "Doctor"]),
    ("numbers in front, of another name", "trace", ["1_none", "2_some", "3_much"]),
    ("grades", "grade", ["A", "B", "C", "D"]),
    ("grades in camel case", "examGrade", ["A", "B", "C"]),
    ("grades of two signs", "sub_grade", ["A1", "A2", "B1", "B2"]),
]


@pytest.mark.parametrize(("name", "levels"), [c[1:] for c in ORDERED], ids=[c[0] for c in ORDERED])
def test_levels_of_a_known_scale_stand_from_low_to_high(name: str, levels: list[str]) -> None:
    assert order_levels(levels[::-1], name) == levels
    assert order_levels(sorted(levels), name) == levels


@pytest.mark.parametrize(
    ("name", "levels"),
    [
        ("arm", ["A", "B", "C"]),
        ("grade", ["A", "C", "Z"]),
        ("blood", ["A", "AB", "B", "O"]),
        ("sex", ["f", "m"]),
        ("code", ["1", "2", "3"]),
        ("smoking", ["never", "former", "current"]),
        ("tv", ["<1", "2", "do not watch"]),
        ("level", ["low", "medium", "normal"]),
        ("street", ["1 Elm", "7 Oak", "30 Ash"]),
        ("race", ["1. White", "2. Black", "3. Other"]),
        ("bloodGroup", ["1_A", "2_B", "3_O"]),
        ("home_region", ["1-North", "2-East", "3-South"]),
        ("operating_room", ["A", "B", "C"]),
        ("frontier", ["A", "B", "C"]),
    ],
)
def test_one_level_without_a_place_of_its_own_is_enough_for_no_order(
    name: str, levels: list[str]
) -> None:
    assert order_levels(levels, name) is None
