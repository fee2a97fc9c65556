"""What the dashboard of the service shows: traffic, errors, latency, saturation."""

from typing import Final

from deployments.monitoring.alert import SERVICE
from deployments.monitoring.boards.panels import Board, Panel
from deployments.monitoring.boards.promql import MINE, RATE, rate

TRAFFIC: Final = (
    Panel(
        "Requests",
        "Requests a second, answered or refused",
        {"{{problem}} {{instance}}": f"driftline:requests:rate{{{MINE}}}"},
        "reqps",
    ),
    Panel(
        "Records answered",
        "Records a second; a batch has many",
        {"{{problem}} {{instance}}": f"driftline:answered_records:rate{{{MINE}}}"},
        "cps",
    ),
    Panel(
        "Answers",
        "Whether the service answers Prometheus",
        {"{{problem}} {{instance}}": f'up{{job="{SERVICE}", {MINE}}}'},
        kind="states",
    ),
)
ERRORS: Final = (
    Panel(
        "Faults",
        "Share of requests that the service itself could not answer",
        {"{{problem}} {{instance}}": f"driftline:request_faults:ratio{{{MINE}}}"},
        "percentunit",
    ),
    Panel(
        "Refused requests",
        "By the error's code; most are a client's",
        {"{{code}}": rate("driftline_rejected_requests_total", "code")},
        "reqps",
    ),
    Panel(
        "Parts",
        "Whether each part works as it should",
        {"{{part}} {{instance}}": f"driftline_part_up{{{MINE}}}"},
        kind="states",
    ),
)
LATENCY: Final = (
    Panel(
        "Time to answer",
        "Half of the requests, and 99 of 100, take at most so long",
        {
            "half {{instance}}": f"driftline:request_seconds:p50{{{MINE}}}",
            "99 of 100 {{instance}}": f"driftline:request_seconds:p99{{{MINE}}}",
        },
        "s",
    ),
    Panel(
        "Requests by time",
        "Requests a second that take at most so many seconds",
        {"{{le}}": rate("driftline_scoring_seconds_bucket", "le")},
        "reqps",
    ),
)
SATURATION: Final = (
    Panel(
        "Processor",
        "Of one core; the service answers with one",
        {"{{instance}}": f"rate(process_cpu_seconds_total{{{MINE}}}{RATE})"},
        "percentunit",
    ),
    Panel(
        "Memory",
        "Resident memory",
        {"{{instance}}": f"process_resident_memory_bytes{{{MINE}}}"},
        "bytes",
    ),
    Panel(
        "Descriptors",
        "Open descriptors as a share of their limit; each connection takes one",
        {"{{instance}}": f"process_open_fds{{{MINE}}} / process_max_fds{{{MINE}}}"},
        "percentunit",
    ),
    Panel(
        "Spool",
        "Predictions that wait for the database",
        {"{{problem}} {{instance}}": f"driftline_spool_bytes{{{MINE}}}"},
        "bytes",
    ),
    Panel(
        "Age of the spool",
        "Of the oldest prediction that waits",
        {"{{problem}} {{instance}}": f"driftline_spool_age_seconds{{{MINE}}}"},
        "s",
    ),
    Panel(
        "Trouble",
        "Lines that could not be shipped, and attempts in a row to take a new champion over",
        {
            "lines set aside {{instance}}": f"driftline_spool_set_aside_lines{{{MINE}}}",
            "failed attempts {{instance}}": f"driftline_takeover_failed_attempts{{{MINE}}}",
        },
    ),
)
SERVICE_BOARD: Final = Board(
    "driftline-service",
    "Driftline: service",
    f'up{{job="{SERVICE}"}}',
    {"Traffic": TRAFFIC, "Errors": ERRORS, "Latency": LATENCY, "Saturation": SATURATION},
)
