"""When a flow runs is said in a form that Prefect takes."""

from hypothesis import given
from hypothesis import strategies as st
from prefect.client.schemas.schedules import CronSchedule

from driftline.loop import check_cron

PARTS = [
    "*",
    "*/5",
    "0",
    "1-3",
    "2-6/2",
    "jan",
    "mon-fri",
    "7",
    "59",
    "1,4",
    "60",
    "x",
    "3-1",
    "*/0",
]


@given(st.lists(st.sampled_from(PARTS), min_size=5, max_size=5))
def test_whatever_is_taken_for_a_cron_prefect_takes_too(parts: list[str]) -> None:
    text = " ".join(parts)
    try:
        check_cron(text)
    except ValueError:
        return

    assert CronSchedule(cron=text).cron == text
