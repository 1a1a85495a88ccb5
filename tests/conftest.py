"""What all tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import warm

from port.verify import parent


@pytest.fixture(scope="session", autouse=True)
def warm_children() -> Iterator[None]:
    """Runs of verify, of which the suite has more than a hundred, import each framework once."""
    cold, parent.start = parent.start, warm.start
    yield
    parent.start = cold
