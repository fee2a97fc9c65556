"""Which tests share a worker where several run side by side, and which begin first."""

import pytest
from xdist.scheduler import LoadScopeScheduling

LONGEST = (
    "test_killed",
    "test_up",
    "test_third_problem",
    "test_verify",
    "test_lambda",
    "test_container",
    "test_outages_of_prefect",
    "test_clocks",
    "test_outages_of_s3",
    "test_train",
    "test_orders",
    "test_together",
    "test_readme",
    "test_elsewhere",
    "test_score",
    "test_label_count",
    "test_page",
    "test_alerts",
    "test_compose",
    "test_number",
    "test_evidence",
    "test_page_image",
    "test_standing",
    "test_sequential",
    "test_estimation",
    "test_drift",
)
TOGETHER = dict.fromkeys(("test_verify", "test_lambda", "test_container"), "packed")
APART = {"test_killed"}  # its tests share nothing


class ByFile(LoadScopeScheduling):
    """The tests of a file run on one worker, since they share what its fixtures start."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", maxsplit=1)[0]
        name = stem(file)
        return nodeid if name in APART else TOGETHER.get(name, file)


def place(item: pytest.Item) -> int:
    """Where a test stands in the order: the longest first, so that no worker is left over."""
    name = stem(item.nodeid.split("::")[0])
    return LONGEST.index(name) if name in LONGEST else len(LONGEST)


def stem(file: str) -> str:
    """Name of a test file without folder and ending."""
    return file.rsplit("/", 1)[-1].removesuffix(".py")
