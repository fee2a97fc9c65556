"""Runs every contender in the same run and prints figures and ratios.

    python -m tests.benchmarks [--batches]

With `--batches` there are batches alone, by us and by FastAPI over joblib.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.benchmarks.load import Figures, load, median, resident_megabytes, running
from tests.benchmarks.model import ROOT, Contenders, make_contenders
from tests.benchmarks.packed import show_packed
from tests.benchmarks.spent import Spent, await_shipped, median_spent, spend
from tests.ports import free_port

ROUNDS = 5
LISTED = "driftline, values in order"
SECONDS = 3
OURS, DURABLE, CEILING, MLFLOW, JOBLIB = (
    "driftline (bentoml serve)",
    "driftline, durable",
    "starlette + onnx (ceiling)",
    "mlflow models serve",
    "fastapi + joblib",
)


def main() -> None:
    """Serve the same forest four ways, load each in turn, and print; then what packing gives."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", action="store_true")
    console = Console()
    if parser.parse_args().batches:
        compare_batches(console)
        return
    with tempfile.TemporaryDirectory() as name, ExitStack() as servers:
        contenders = make_contenders(Path(name))
        urls, pids = _start(contenders, servers)
        console.print(f"{ROUNDS} rounds of {SECONDS} s each, in turn; medians; log on for ours")
        _single(console, urls, contenders)
        _batches(console, urls, pids, contenders)
        table = Table("contender", "resident MB", title="memory, all processes of a server")
        for contender, pid in pids.items():
            table.add_row(contender, f"{resident_megabytes(pid):.0f}")
        console.print(table)
    show_packed(console)


def compare_batches(console: Console) -> None:
    """Batches by us and by FastAPI over joblib, whose servers are started alone."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as servers:
        contenders = make_contenders(Path(name))
        urls, pids = _start(contenders, servers, only=(OURS, JOBLIB))
        _batches(console, urls, pids, contenders)


def _start(
    contenders: Contenders, servers: ExitStack, only: Sequence[str] = ()
) -> tuple[dict[str, str], dict[str, int]]:
    folder = contenders.folder
    env = os.environ | {
        "BENCH_MODEL": str(folder),
        "DRIFTLINE_MODEL_DIR": str(folder),
        "DRIFTLINE_HOME": str(folder / "home"),
        "BENTOML_HOME": str(folder / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "true",
        "PYTHONPATH": str(ROOT),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",  # mlflow calls uvicorn
    }
    durable = {"DRIFTLINE_DURABLE": "true", "DRIFTLINE_HOME": str(folder / "durable")}
    ports = {contender: str(free_port()) for contender in (OURS, DURABLE, CEILING, MLFLOW, JOBLIB)}
    python = [sys.executable, "-m"]
    serve = ["--host", "127.0.0.1", "--port"]
    quiet = ["--no-access-log", "--log-level", "error", "--factory"]
    model = ["-m", str(folder / "mlflow"), "--env-manager", "local", "--workers", "1"]
    commands = {
        OURS: [*python, "bentoml", "serve", "bentos.service:Service", *serve, ports[OURS]],
        DURABLE: [*python, "bentoml", "serve", "bentos.service:Service", *serve, ports[DURABLE]],
        CEILING: [
            *python,
            "uvicorn",
            "tests.benchmarks.apps:starlette_app",
            *quiet,
            *serve,
            ports[CEILING],
        ],
        MLFLOW: [
            *python,
            "mlflow",
            "models",
            "serve",
            *model,
            "--host",
            "127.0.0.1",
            "-p",
            ports[MLFLOW],
        ],
        JOBLIB: [
            *python,
            "uvicorn",
            "tests.benchmarks.apps:fastapi_app",
            *quiet,
            *serve,
            ports[JOBLIB],
        ],
    }
    health = {OURS: "readyz", DURABLE: "readyz", CEILING: "", MLFLOW: "ping", JOBLIB: "docs"}
    urls, pids = {}, {}
    for contender, command in commands.items():
        if only and contender not in only:
            continue
        urls[contender] = f"http://127.0.0.1:{ports[contender]}"
        url = f"{urls[contender]}/{health[contender]}"
        given = env | (durable if contender == DURABLE else {})
        pids[contender] = servers.enter_context(running(command, url, env=given, cwd=ROOT))
    return urls, pids


def _single(console: Console, urls: dict[str, str], contenders: Contenders) -> None:
    bodies = {
        OURS: contenders.ours,
        DURABLE: contenders.ours,
        CEILING: contenders.ours,
        MLFLOW: contenders.mlflow,
        JOBLIB: contenders.joblib,
    }
    targets = {name: _target(name, url, "predict") for name, url in urls.items()}
    many: dict[str, list[Figures]] = {name: [] for name in urls}
    one: dict[str, list[Figures]] = {name: [] for name in urls}
    for _ in range(ROUNDS):
        for name, url in targets.items():
            many[name].append(load(url, bodies[name], connections=8, seconds=SECONDS))
            one[name].append(load(url, bodies[name], connections=1, seconds=1))
    table = Table(title="one record per request")
    for column in ("contender", "requests/s", "p50 ms", "p99 ms", "p50 ms alone", "ours is"):
        table.add_column(column)
    ours = median(many[OURS]).rate
    for name in urls:
        at_eight, alone = median(many[name]), median(one[name])
        table.add_row(
            name,
            f"{at_eight.rate:,.0f}",
            f"{at_eight.p50:.2f}",
            f"{at_eight.p99:.2f}",
            f"{alone.p50:.2f}",
            f"{ours / at_eight.rate:.2f} x",
        )
    console.print(table)


def _batches(
    console: Console, urls: dict[str, str], pids: dict[str, int], contenders: Contenders
) -> None:
    columns = ("contender", "records", "records/s", "ours is", "ms answering", "ms shipping")
    table = Table(*columns, title="batches, two connections; processor time of one batch")
    ours = {OURS: "ours", LISTED: "listed"}
    for rows in (1000, 10_000):
        bodies = contenders.batch(rows)
        forms = ours | {MLFLOW: "mlflow", JOBLIB: "joblib"}
        by_name = {name: form for name, form in forms.items() if _server(name) in urls}
        measured: dict[str, list[tuple[Figures, Spent]]] = {name: [] for name in by_name}
        for _ in range(3):
            for name, form in by_name.items():
                url, pid = _target(name, urls[_server(name)], "predict_batch"), pids[_server(name)]
                spool = contenders.folder / "home/spool" if name in ours else None
                rate = load(url, bodies[form], connections=2, seconds=SECONDS)
                await_shipped(spool)
                measured[name].append((rate, spend(url, bodies[form], pid=pid, spool=spool)))
        medians = {name: median([each for each, _ in found]) for name, found in measured.items()}
        for name, figures in medians.items():
            answering, shipping = median_spent([spent for _, spent in measured[name]])
            ratio = medians[OURS].rate / figures.rate
            told = f"{figures.rate * rows:,.0f}", f"{ratio:.2f} x"
            spent = f"{answering * 1000:.0f}", f"{shipping * 1000:.0f}"
            table.add_row(name, f"{rows:,}", *told, *spent)
    console.print(table)


def _server(name: str) -> str:
    """The contender whose server answers."""
    return OURS if name == LISTED else name


def _target(name: str, url: str, path: str) -> str:
    if name == MLFLOW:
        return f"{url}/invocations"
    return f"{url}/{path if name in {OURS, LISTED} else 'predict'}"


if __name__ == "__main__":
    main()
