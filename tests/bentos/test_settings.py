import os
import subprocess
import sys
from pathlib import Path

import pytest

from bentos.settings import (
    SettingError,
    api_keys,
    check_settings,
    cors_origins,
    retention_days,
)
from tests.support import ROOT


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("", ()),
        ("one", ("one",)),
        ("one,two", ("one", "two")),
        ("one, two", ("one", "two")),
        (" one ,, two,", ("one", "two")),
    ],
)
def test_keys_stand_by_commas_without_the_blanks_around_them(
    monkeypatch: pytest.MonkeyPatch, text: str, keys: tuple[str, ...]
) -> None:
    monkeypatch.setenv("DRIFTLINE_API_KEYS", text)

    assert api_keys() == keys


@pytest.mark.parametrize("text", [",", " ", " , ", ",,,"])
def test_a_list_of_keys_that_holds_none_does_not_open_the_service(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("DRIFTLINE_API_KEYS", text)

    with pytest.raises(SettingError, match="DRIFTLINE_API_KEYS: holds no key"):
        check_settings()


def test_origins_are_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTLINE_CORS_ORIGINS", "https://a.example/, http://localhost:8080")

    assert cors_origins() == ("https://a.example", "http://localhost:8080")


@pytest.mark.parametrize("text", ["a.example", "https://a.example/page", "https://", "null"])
def test_what_is_no_origin_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("DRIFTLINE_CORS_ORIGINS", text)

    with pytest.raises(SettingError, match="DRIFTLINE_CORS_ORIGINS"):
        check_settings()


@pytest.mark.parametrize(("text", "days"), [("", 0.0), ("0", 0.0), ("30", 30.0), ("0.5", 0.5)])
def test_a_retention_is_a_number_of_days(
    monkeypatch: pytest.MonkeyPatch, text: str, days: float
) -> None:
    monkeypatch.setenv("DRIFTLINE_RETENTION_DAYS", text)

    assert retention_days() == days


@pytest.mark.parametrize("text", ["30d", "-1", "nan", "inf", "a month"])
def test_another_retention_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("DRIFTLINE_RETENTION_DAYS", text)

    with pytest.raises(SettingError, match=r"DRIFTLINE_RETENTION_DAYS: got .*, wanted a number"):
        check_settings()


@pytest.mark.parametrize("scheme", ["mssql", "postgresql+asyncpg", "file", "http"])
def test_a_database_of_an_unknown_kind_is_refused_without_its_password(
    monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setenv("DRIFTLINE_DATABASE_URL", f"{scheme}://user:secret@host/database")

    with pytest.raises(SettingError, match=r"DRIFTLINE_DATABASE_URL: got the scheme") as raised:
        check_settings()

    assert "secret" not in str(raised.value)


def test_a_database_without_a_scheme_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTLINE_DATABASE_URL", "/var/lib/secret.db")

    with pytest.raises(SettingError, match="got no scheme") as raised:
        check_settings()

    assert "secret" not in str(raised.value)


def test_a_service_with_such_a_setting_does_not_start_and_says_why(tmp_path: Path) -> None:
    own = {"DRIFTLINE_API_KEYS": ",", "DRIFTLINE_HOME": str(tmp_path)}
    words = [sys.executable, "-m", "bentos.launch", "tiny"]

    done = subprocess.run(
        words, cwd=ROOT, env=os.environ | own, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert done.stderr.startswith("error: DRIFTLINE_API_KEYS: holds no key; wanted keys by commas")
    assert "Traceback" not in done.stderr
