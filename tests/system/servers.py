"""Real database servers on free ports, with everything they own in temporary folders."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from tests.ports import free_ports
from tests.support import lacking

START_SECONDS = 60.0
_NUMBERS = count(1)


@dataclass
class DatabaseServer:
    """A database server: how it is started, where it answers, and who it is now."""

    command: list[str]
    url: str  # of an account that may create databases
    folder: Path
    user: str | None
    process: "subprocess.Popen[bytes] | None" = field(default=None)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command, stdout=log, stderr=log, user=self.user, cwd=self.folder
            )
        give_up = time.monotonic() + START_SECONDS
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > give_up:
                message = (self.folder / "server.log").read_text(errors="replace")[-800:]
                raise RuntimeError(message)
            time.sleep(0.1)

    def stop(self) -> None:
        """End it as its operator would, cutting every connection."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT if self.is_postgresql else signal.SIGTERM)
            self.process.wait(30)
            self.process = None

    def freeze(self) -> None:
        """Let it take connections and never answer them, like a host that hangs."""
        assert self.process is not None
        freeze(self.process.pid)
        for pid in children(self.process.pid):  # there come no more of them now
            freeze(pid)

    def thaw(self) -> None:
        """Let it go on."""
        assert self.process is not None
        for pid in [self.process.pid, *children(self.process.pid)]:
            with suppress(ProcessLookupError):  # a connection's own process may have ended
                os.kill(pid, signal.SIGCONT)

    def create_database(self) -> str:
        """The URL of a new and empty database."""
        from sqlalchemy import text

        name = f"driftline_{next(_NUMBERS)}"
        engine = self._engine()
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return f"{self.url.rpartition('/')[0]}/{name}"

    @property
    def is_postgresql(self) -> bool:
        """Whether it is PostgreSQL, for what the two do differently."""
        return self.url.startswith("postgresql")

    def _engine(self):  # noqa: ANN202 - an Engine, imported where it is used
        from bentos.log.database import open_engine

        return open_engine(self.url)

    def _answers(self) -> bool:
        from sqlalchemy.exc import DBAPIError

        engine = self._engine()
        try:
            engine.connect().close()
        except DBAPIError:
            return False
        finally:
            engine.dispose()
        return True


@contextmanager
def start_postgresql() -> Iterator[DatabaseServer]:
    """A PostgreSQL server of our own; the test is skipped where Debian's is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found:
        lacking("PostgreSQL (Debian's package postgresql)")
    tools, user = found[-1].parent, _account("postgres")
    with _folder(user) as folder:
        data, (port,) = folder / "data", free_ports(1)
        words = [tools / "initdb", "-D", data, "-U", "driftline", "-A", "trust", "-E", "UTF8"]
        subprocess.run(
            [*words, "--no-sync"], check=True, capture_output=True, user=user, cwd=folder
        )
        options = {"fsync": "off", "unix_socket_directories": folder, "max_connections": "60"}
        given = [f"-c{name}={value}" for name, value in options.items()]
        command = [tools / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port), *given]
        url = f"postgresql://driftline@127.0.0.1:{port}/postgres"
        with _running(DatabaseServer([str(word) for word in command], url, folder, user)) as server:
            yield server


@contextmanager
def start_mariadb() -> Iterator[DatabaseServer]:
    """A MariaDB server of our own; the test is skipped where Debian's is not installed."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"
    program, install = (shutil.which(n, path=path) for n in ("mariadbd", "mariadb-install-db"))
    if program is None or install is None:
        lacking("MariaDB (Debian's package mariadb-server)")
    user = _account("mysql")
    with _folder(user) as folder:
        data, (port,) = folder / "data", free_ports(1)
        (folder / "accounts.sql").write_text(
            "CREATE USER IF NOT EXISTS 'driftline'@'127.0.0.1' IDENTIFIED BY 'only-for-tests';\n"
            "GRANT ALL ON *.* TO 'driftline'@'127.0.0.1';\n"
        )
        (folder / "accounts.sql").chmod(0o644)  # another user reads it
        shared = ["--no-defaults", f"--datadir={data}"]
        subprocess.run(
            [install, *shared, "--auth-root-authentication-method=normal", "--skip-test-db"],
            check=True,
            capture_output=True,
            user=user,
            cwd=folder,
        )
        command = [program, *shared, f"--port={port}", "--bind-address=127.0.0.1"]
        command += [f"--socket={folder / 'socket'}", f"--pid-file={folder / 'pid'}"]
        command += [f"--init-file={folder / 'accounts.sql'}"]
        command += ["--innodb-flush-log-at-trx-commit=2", "--innodb-buffer-pool-size=32M"]
        url = f"mariadb://driftline:only-for-tests@127.0.0.1:{port}/mysql"
        with _running(DatabaseServer(command, url, folder, user)) as server:
            yield server


def freeze(pid: int) -> None:
    """Stop a process, and return when each of its threads stands still.

    On a busy machine one that is just answering goes on for a while after the signal.
    """
    with suppress(ProcessLookupError, FileNotFoundError):  # it has ended by itself
        os.kill(pid, signal.SIGSTOP)
        while not all(_stands_still(task) for task in Path(f"/proc/{pid}/task").iterdir()):
            time.sleep(0.01)


def _stands_still(task: Path) -> bool:
    state = (task / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    return state in {"T", "Z"}


def children(pid: int) -> list[int]:
    """Process ids of a process's descendants."""
    told = subprocess.run(["ps", "-o", "pid=,ppid=", "-A"], check=True, capture_output=True)
    pairs = [tuple(map(int, line.split())) for line in told.stdout.splitlines()]
    found = [child for child, parent in pairs if parent == pid]
    return found + [each for child in found for each in children(child)]


@contextmanager
def _running(server: DatabaseServer) -> Iterator[DatabaseServer]:
    try:
        server.start()
        yield server
    finally:
        if server.process is not None:
            server.thaw()
        server.stop()


@contextmanager
def _folder(user: str | None) -> Iterator[Path]:
    """A folder that a server's own account may use; sockets want a short path."""
    with tempfile.TemporaryDirectory(prefix="dl-db-", ignore_cleanup_errors=True) as name:
        if user is not None:
            shutil.chown(name, user)
        yield Path(name)


def _account(name: str) -> str | None:
    """The account that a server runs as where we are root, which servers refuse to be."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(name)
    except KeyError:
        lacking(f"the account {name!r}")
    return name
