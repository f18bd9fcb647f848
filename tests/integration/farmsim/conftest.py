"""The engine's own stage, for tests of what looks at it."""

from tests.integration.renders.conftest import (  # noqa: F401 - fixtures
    bus,
    coordinator,
    engine_broker,
    film,
    job,
    node24,
)
