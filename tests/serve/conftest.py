"""What the tests of the service share."""

import pytest

from maskdet.serve.watching.networks import Networks
from maskdet.vision.networks import NetworkOptions


@pytest.fixture(scope="session")
def networks() -> Networks:
    """The bundled networks, loaded once."""
    return Networks(NetworkOptions())
