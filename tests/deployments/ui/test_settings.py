import pytest

from deployments.ui import settings
from driftline.errors import SettingsError


def test_without_settings_the_page_talks_to_this_machine() -> None:
    assert settings.services({}) == {"": "http://127.0.0.1:3000"}
    assert settings.reports_url({}) == "http://127.0.0.1:5001"
    assert settings.prefect_url({}) == "http://127.0.0.1:4200/api"
    assert settings.api_key({}) == ""


def test_each_problem_has_its_address() -> None:
    text = "breast_cancer=http://127.0.0.1:3000/, diabetes = https://risk.example/one"

    assert settings.services({"DRIFTLINE_SERVICES": text}) == {
        "breast_cancer": "http://127.0.0.1:3000",
        "diabetes": "https://risk.example/one",
    }


@pytest.mark.parametrize(
    "text", ["diabetes", "diabetes=file:///etc/passwd", "=http://a", "Di abetes=http://a", "a=b"]
)
def test_what_is_no_address_is_named_by_its_setting_and_not_repeated(text: str) -> None:
    with pytest.raises(SettingsError, match=r"^DRIFTLINE_SERVICES: ") as raised:
        settings.services({"DRIFTLINE_SERVICES": text})

    assert text not in str(raised.value)


def test_the_pages_own_key_comes_before_the_services() -> None:
    both = {"DRIFTLINE_API_KEYS": "first, second", "DRIFTLINE_API_KEY": "own"}

    assert settings.api_key(both) == "own"
    assert settings.api_key({"DRIFTLINE_API_KEYS": "first, second"}) == "first"


def test_the_page_may_reach_the_reports_by_another_name_than_browsers() -> None:
    public = {"DRIFTLINE_REPORTS_URL": "http://127.0.0.1:5001"}

    assert settings.state_url(public) == "http://127.0.0.1:5001"
    inner = public | {"DRIFTLINE_STATE_URL": "http://reports:5001/"}
    assert settings.state_url(inner) == "http://reports:5001"
    assert settings.reports_url(inner) == "http://127.0.0.1:5001"
