from collections.abc import Iterator

import pytest
from kits.browser import Browser


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = Browser()
    yield found
    found.quit()
