"""Makes the databases that stand beside the prediction log's: one for MLflow, one for Prefect.

`python -m deployments.aws.databases` runs in the project's image before the two start, on the
server that `DRIFTLINE_DATABASE_URL` names. Doing it again, or twice at once, changes nothing.
"""

import os
import sys
import time

DATABASES = ("mlflow", "prefect")
ATTEMPTS, PAUSE_SECONDS = 20, 6.0
CONNECT_SECONDS = 5


def make_databases(url: str) -> list[str]:
    """Make those that are missing; returns the names of those that were made."""
    import psycopg
    from psycopg.sql import SQL, Identifier

    made = []
    with psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_SECONDS) as connection:
        known = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
        for name in DATABASES:
            if name in known:
                continue
            try:
                connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
            except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                continue  # another task was first
            made.append(name)
    return made


def main() -> int:
    """Make them, waiting for a server that is about to come."""
    import psycopg

    url = os.environ.get("DRIFTLINE_DATABASE_URL", "")
    if not url.startswith("postgresql://"):
        sys.stderr.write(
            "error: DRIFTLINE_DATABASE_URL: wanted postgresql://, for MLflow's and Prefect's\n"
        )
        return 1
    for attempt in range(ATTEMPTS):
        try:
            made = make_databases(url)
        except psycopg.OperationalError as error:
            sys.stderr.write(f"the database does not answer yet ({type(error).__name__})\n")
            if attempt + 1 < ATTEMPTS:
                time.sleep(PAUSE_SECONDS)
        else:
            sys.stdout.write(f"databases made: {', '.join(made) or 'none, they are there'}\n")
            return 0
    sys.stderr.write("error: DRIFTLINE_DATABASE_URL: no answer; wanted a PostgreSQL that is up\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
