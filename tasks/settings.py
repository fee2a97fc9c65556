"""Settings from the environment, and the environment that the tools themselves are given.

Every name has the prefix `DRIFTLINE_`. The tools' own variables win over what is derived here.
"""

import os
from functools import lru_cache
from pathlib import Path

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bentos.health.paths import DENIED, is_denied, what_is_no_folder, why_no_folder
from bentos.health.start import protect_state
from bentos.settings import SettingError, expand, retention_days, signing_key
from driftline.errors import SettingsError
from driftline.locations import lacks_bucket, redact

SQLITE = "sqlite:///"
OF_THE_STORE = ("artifacts", "journal", "reports", "snapshots")


class Settings(BaseSettings):
    """Where state lives, where shared storage is, and where problems are described."""

    model_config = SettingsConfigDict(env_prefix="DRIFTLINE_", frozen=True, env_ignore_empty=True)

    home: Path = Path(".driftline")
    project_dir: Path = Field(default_factory=lambda: Path(__file__).resolve().parent.parent)
    store_url: str = ""
    database_url: str = ""
    sources: str = ""
    reports_url: str = ""
    base_image: str = ""
    build_options: str = ""
    lambda_rie: str = ""
    second_tracker: str = ""  # beside MLflow
    evidence_key: str = ""  # path of a private key
    snapshot_days: float = Field(default=0, ge=0)  # that a snapshot nobody names stays; 0: for ever
    dask: str = ""  # address of a scheduler, or a number of processes to start
    threads: int = Field(default=0, ge=0)  # of a large table's fit; 0: as many as there are cores
    patience_seconds: float = Field(default=75, ge=0)  # with a store or database that is away

    @field_validator("home", "project_dir")
    @classmethod
    def _expanded(cls, path: Path) -> Path:
        return expand(path)

    @field_validator("store_url")
    @classmethod
    def _is_of_a_bucket(cls, url: str) -> str:
        if "://" in url and (not url.startswith("s3://") or lacks_bucket(url)):
            message = f"got {redact(url)!r}, wanted a folder, or s3://bucket/prefix"
            raise ValueError(message)
        return url

    @property
    def problems_dir(self) -> Path:
        """Folder of the problem files."""
        return self.project_dir / "data" / "problems"

    @property
    def expectations_dir(self) -> Path:
        """Folder of the suites."""
        return self.project_dir / "expectations"

    @property
    def allowed_sources(self) -> tuple[str, ...]:
        """URLs below which rows may be read, beside files and S3."""
        return tuple(part.strip() for part in self.sources.split(",") if part.strip())

    @property
    def store(self) -> str:
        """Root of snapshots, reports, model artifacts and bentos: a folder, or `s3://bucket/prefix`."""
        return (self.store_url or str(self.home.absolute())).rstrip("/")

    @property
    def artifacts(self) -> str:
        """Where MLflow's artifacts lie, as a URL: a percent sign in a path is a code to it."""
        store = self.store
        return f"{store if '://' in store else Path(store).absolute().as_uri()}/artifacts"

    @property
    def database(self) -> str:
        """SQLAlchemy URL of the prediction log and the journal."""
        return self.database_url or f"sqlite:///{self.home.absolute() / 'predictions.db'}"

    @property
    def is_store_elsewhere(self) -> bool:
        """Whether the store is not just the state folder, so that other machines may read it."""
        return bool(self.store_url)


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process, read once."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = [
            f"DRIFTLINE_{str(e['loc'][0]).upper()}: {e['msg'].removeprefix('Value error, ')}"
            for e in error.errors()
        ]
        raise SettingsError("; ".join(wrong)) from None


def get_signing_key() -> str:
    """The key that signs bentos, empty where none is set; one that is too short is an error."""
    try:
        return signing_key()
    except SettingError as error:
        raise SettingsError(str(error)) from None


def get_retention_days() -> float:
    """The age at which inputs are forgotten, 0 for never; one that cannot be meant is an error."""
    try:
        return retention_days()
    except SettingError as error:
        raise SettingsError(str(error)) from None


def prepare_environment() -> None:
    """Point the tools at the state folder and silence their telemetry; what is set already stays.

    Prefect reads its settings while it is imported, so this runs before that. A state folder that
    cannot be used is a `SettingsError`.
    """
    settings = get_settings()
    home = settings.home.absolute()
    protect_state(home)
    defaults = {
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_CLIENT_MAX_RETRIES": "6",  # 2 + 4 + ... + 64 s: a server that is started anew
        "PREFECT_LOGGING_INTERNAL_LEVEL": "CRITICAL",  # events that are told late are not lost
        "PREFECT_CLI_PROMPT": "false",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
        "BENTOML_HOME": str(home / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "true",
        "MLFLOW_TRACKING_URI": f"sqlite:///{home / 'mlflow.db'}",
        # by itself it would put the folder it is started in, whatever its name, into a statement
        "_MLFLOW_SERVER_ARTIFACT_ROOT": settings.artifacts,
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",  # 13 s; by itself it would wait for 4 minutes
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_LOGGING_LEVEL": "WARNING",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # its address may hold a password
        "GX_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "ORT_DISABLE_TELEMETRY": "1",
        "MPLBACKEND": "agg",
        "OMP_WAIT_POLICY": "PASSIVE",  # beside other work spinning threads cost 15 times
        "OMP_NUM_THREADS": "1",  # but for large tables, see `tasks.models.threads`
        "OPENBLAS_NUM_THREADS": "1",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    _check_home(home)
    _make_folder(Path(os.environ["PREFECT_HOME"]))  # its server makes none
    _check_folders(settings)


def _check_home(home: Path) -> None:
    if "?" in str(home):
        message = (
            f"DRIFTLINE_HOME: got {home}, wanted a path without '?', "
            "which ends the path in the address of a database"
        )
        raise SettingsError(message)
    if os.path.expandvars(home) != str(home):
        message = f"DRIFTLINE_HOME: got {home}, wanted a path that names no variable of a shell, "
        raise SettingsError(f"{message}which BentoML would put its value for")
    _make_folder(home)


def _check_folders(settings: Settings) -> None:
    """Before anything is computed: what every run writes into has to be a folder, or nothing."""
    names = ("runs", *(() if settings.is_store_elsewhere else OF_THE_STORE))
    own = [settings.home.absolute() / name for name in names]
    folders = [*own, Path(os.environ["BENTOML_HOME"]).absolute()]
    for folder in folders:
        if (wrong := what_is_no_folder(folder)) is not None:
            raise SettingsError(f"{wrong}, wanted a folder of state (DRIFTLINE_HOME)")
    urls = (settings.database, os.environ["MLFLOW_TRACKING_URI"])
    files = [Path(url.removeprefix(SQLITE)) for url in urls if url.startswith(SQLITE)]
    own_server = Path(os.environ["PREFECT_HOME"]) / "prefect.db"
    for path in (*folders, *files, own_server):
        if is_denied(path):
            raise SettingsError(f"{path}: {DENIED} (DRIFTLINE_HOME)")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        why = "access denied" if is_denied(folder) else ""
    except OSError as error:
        why = why_no_folder(error, folder)
    if why:
        message = f"{folder}: cannot be written ({why}); wanted a state folder (DRIFTLINE_HOME)"
        raise SettingsError(f"{message} that can be")
