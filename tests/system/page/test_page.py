"""The page for people and the service's own, clicked through in a real browser.

`--pictures FOLDER` keeps the pictures that README shows.
"""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.system.page.browsing import Tab, open_tab
from tests.system.page.site import Site, set_aside
from tests.system.service import await_that, rows_by_id

pytestmark = [pytest.mark.system, pytest.mark.browser]

DESKTOP, PHONE, TALL = 1280, 390, 1500
MARKER = "43.19"  # what a test enters and must not find again


def opened(chromium: Browser, site: Site, width: int) -> Tab:
    """The page with its form ready."""
    await_that(lambda: answers(site.url), 120)
    tab = open_tab(chromium, site.url, width, TALL)
    tab.page.get_by_role("button", name="Ask the model").wait_for()
    tab.page.get_by_label("Age, 18 to 120 years").wait_for()
    return tab


def answers(url: str) -> bool:
    """Whether the page's server listens yet."""
    import httpx

    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False


def choose(tab: Tab, view: str, until: str) -> None:
    """Go to another view, and wait for what it shows last."""
    tab.page.get_by_text(view, exact=True).first.click()
    tab.page.get_by_text(until).first.wait_for()


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
def test_a_person_asks_sees_why_and_gives_the_outcome(
    site: Site, chromium: Browser, pictures: Path, width: int
) -> None:
    tab = opened(chromium, site, width)
    page = tab.page
    page.get_by_label("PlasmaGlucose", exact=False).fill("180")
    page.get_by_label("BMI", exact=False).fill(MARKER)

    page.get_by_role("button", name="Ask the model").click()
    page.get_by_text("It tells what this model went by, not what causes the outcome").wait_for()
    asked = page.locator("body").inner_text()
    prediction = page.locator("code").first.inner_text()
    findings = tab.grave_findings()
    page.screenshot(path=pictures / f"ask-{width}.png", full_page=False)
    choose(tab, "Give an outcome", "The true outcome")
    page.get_by_role("combobox", name="The true outcome").click()
    page.get_by_role("option", name="non_diabetic").click()
    page.get_by_role("button", name="Keep this outcome").click()
    page.get_by_text("The outcome is kept").wait_for()

    assert "The answer is" in asked
    assert "PlasmaGlucose" in asked
    assert (
        site.service.post("/feedback", {"prediction_id": prediction, "label": "diabetic"})[0] == 409
    )
    assert [*findings, *tab.grave_findings(), *tab.complaints] == []
    assert tab.hosts - {""} <= site.hosts
    assert page.url.rstrip("/") == site.url
    assert tab.overflow() <= 0
    assert MARKER not in site.log.read_text()


def test_a_table_goes_up_and_comes_back_scored(site: Site, chromium: Browser) -> None:
    tab = opened(chromium, site, DESKTOP)
    head = "patient,Pregnancies,PlasmaGlucose,DiabetesPedigree,Age\n"
    table = head + "007,1,120,0.3,40\n008,1,120,0.3,400\n"
    choose(tab, "Score a table", "The table, as a CSV file")

    sent = {"name": "rows.csv", "mimeType": "text/csv", "buffer": table.encode()}
    tab.page.locator("input[type=file]").set_input_files([sent])  # type: ignore[list-item]
    tab.page.get_by_role("button", name="Score this table").click()
    tab.page.get_by_text("Age must be between 18 and 120").wait_for()
    with tab.page.expect_download() as download:
        tab.page.get_by_role("button", name="Take the scored table").click()

    text = Path(download.value.path()).read_text(encoding="utf-8-sig")
    first, second = csv.DictReader(io.StringIO(text))
    assert first["patient"] == "007"
    assert first["answer"] in {"diabetic", "non_diabetic"}
    assert second["refused_because"] == "Age must be between 18 and 120"
    await_that(lambda: rows_by_id(site.service.database_url)[first["prediction_id"]] == 1)
    assert tab.grave_findings() == []


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
def test_the_owner_sees_the_state_and_orders_a_look(
    site: Site,
    chromium: Browser,
    pictures: Path,
    monitor: Callable[[], list[str]],
    width: int,
) -> None:
    tab, before = opened(chromium, site, width), len(monitor())
    choose(tab, "Look after it", "The report on a page of its own")

    report = tab.page.frame_locator("iframe").get_by_text("no column changed")
    report.wait_for()
    state = tab.page.locator("body").inner_text()
    findings = tab.grave_findings()
    tab.page.screenshot(path=pictures / f"owner-{width}.png")
    tab.page.get_by_role("button", name="Run the monitor").click()
    tab.page.get_by_role("button", name="Yes: run the monitor").wait_for()
    unconfirmed = len(monitor())
    tab.page.get_by_role("button", name="Yes: run the monitor").click()
    tab.page.get_by_text("is scheduled").wait_for()

    assert "Version 1 serves since" in state
    assert "The last training was promoted" in state
    assert "spool" in state
    assert unconfirmed == before
    assert monitor() == ["diabetes"] * (before + 1)
    assert [*findings, *tab.grave_findings(), *tab.complaints] == []
    assert tab.hosts - {""} <= site.hosts
    assert tab.overflow() <= 0


def test_a_person_drops_rows_that_were_set_aside_and_says_who_it_is(
    site: Site, chromium: Browser, home: Path, release: Callable[[], list[dict[str, Any]]]
) -> None:
    key = set_aside(home, "diabetes")
    tab = opened(chromium, site, PHONE)
    page = tab.page
    choose(tab, "Look after it", "The report on a page of its own")

    page.get_by_role("button", name="Drop these rows").click()
    page.get_by_text("Give your name first").wait_for()
    nameless = release()
    page.get_by_label("Your name, kept with what you decide").fill("Ann Lee")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Drop these rows").click()
    page.get_by_role("button", name="Yes: drop these rows").click()
    page.get_by_text("is scheduled").wait_for()

    told = {"problem": "diabetes", "verdict": key[:12], "actor": "Ann Lee", "drop": True}
    assert nameless == []
    assert release() == [told]
    assert [*tab.grave_findings(), *tab.complaints] == []
    assert tab.overflow() <= 0


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
def test_the_page_of_a_replay_can_be_read_by_everybody(
    replay: Path, chromium: Browser, pictures: Path, width: int
) -> None:
    tab = open_tab(chromium, replay.as_uri(), width)

    told = tab.page.locator("body").inner_text()
    tab.page.screenshot(path=pictures / f"replay-{width}.png")

    assert "driftline" in told
    assert "best in hindsight" in told
    assert [*tab.grave_findings(), *tab.complaints] == []
    assert tab.hosts - {""} == set()
    assert tab.overflow() <= 0


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
def test_the_services_own_page_answers_by_the_keyboard_alone(
    site: Site, chromium: Browser, pictures: Path, width: int
) -> None:
    tab = open_tab(chromium, site.service.url, width)
    page = tab.page
    page.get_by_label("Pregnancies").focus()
    page.keyboard.press("Tab")
    page.keyboard.type(MARKER)

    page.keyboard.press("Enter")
    page.get_by_text("not what causes the outcome").wait_for()
    is_focused = page.evaluate("document.activeElement.id") == "answer"
    page.screenshot(path=pictures / f"service-{width}.png", full_page=True)

    assert is_focused
    assert "The answer is" in page.locator("#answer").inner_text()
    assert "PlasmaGlucose: " in page.locator("#answer").inner_text()
    assert "95 % interval" in page.locator("main").inner_text()
    assert [*tab.grave_findings(), *tab.complaints] == []
    assert tab.hosts - {""} == {f"127.0.0.1:{site.service.port}"}
    assert page.url.rstrip("/") == site.service.url
    assert tab.overflow() <= 0


def test_a_fault_is_said_at_the_service_without_the_value(site: Site, chromium: Browser) -> None:
    tab = open_tab(chromium, site.service.url, DESKTOP)
    tab.page.evaluate("document.getElementById('ask').noValidate = true")
    tab.page.get_by_label("Age (years)").fill("4319")

    tab.page.get_by_role("button", name="Ask the model").click()

    tab.page.get_by_text("Age must be between 18 and 120").wait_for()
    assert "4319" not in tab.page.locator("main").inner_text()
    assert "4319" not in site.service.output
