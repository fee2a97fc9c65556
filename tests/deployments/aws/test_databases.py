"""MLflow's and Prefect's databases are made once, on a real PostgreSQL."""

import pytest

from deployments.aws.databases import main, make_databases
from tests.system.servers import start_postgresql


@pytest.mark.postgres
def test_what_is_missing_is_made_and_what_is_there_stays() -> None:
    with start_postgresql() as server:
        first = make_databases(server.url)
        again = make_databases(server.url)

    assert first == ["mlflow", "prefect"]
    assert again == []


def test_another_database_than_postgresql_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DRIFTLINE_DATABASE_URL", "sqlite:///secret-place")

    assert main() == 1
    told = capsys.readouterr().err
    assert "wanted postgresql://" in told
    assert "secret-place" not in told
