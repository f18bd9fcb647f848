"""The fixture ``farm`` for the tests of this folder."""

from __future__ import annotations

from tests.integration.workers.node_farm import farm

__all__ = ["farm"]
