"""PromQL that dashboards share; `$problem` and `$__rate_interval` are Grafana's to fill."""

from typing import Final

MINE: Final = 'problem=~"$problem"'
RATE: Final = "[$__rate_interval]"


def rate(metric: str, *by: str, where: str = MINE) -> str:
    """A counter's rate, by labels."""
    return f"sum by ({', '.join(by)}) (rate({metric}{{{where}}}{RATE}))"


def quantile(share: float, histogram: str, *by: str) -> str:
    """What so large a share of a histogram's values is at most."""
    return f"histogram_quantile({share:g}, {rate(f'{histogram}_bucket', *by, 'le')})"


def since(metric: str) -> str:
    """Seconds since a moment."""
    return f"time() - driftline_{metric}_timestamp_seconds{{{MINE}}}"
