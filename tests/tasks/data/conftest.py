"""What several modules look at."""

import pytest

from tasks.data.validation import Validation
from tests.support import TINY_SUITE
from tests.tasks.data.checking import STUCK, check, cleaned


@pytest.fixture(scope="module")
def sound() -> Validation:
    return check(cleaned().table, *TINY_SUITE["expectations"], STUCK)
