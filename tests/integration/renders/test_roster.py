"""A tick keeps the nodes of the tick before where their rows read the same, and nothing else of them."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.nodes.models import Node, Pool
from apps.renders.scheduling.roster import serving_nodes
from tests.integration.renders.hand import Hand

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("bus", "templates")]


def test_a_node_that_has_not_changed_is_the_object_of_before_in_one_query(node24: Hand) -> None:
    [before] = serving_nodes()
    with CaptureQueriesContext(connection) as asked:
        [after] = serving_nodes()
    assert after is before
    assert len(asked) == 1


@pytest.mark.parametrize(
    "change",
    [{"tags": "fast"}, {"resident": ["unet/a"]}, {"hears": ["unstage"]}, {"tier_gb": 48}, {"epoch": "e2"}],
    ids=lambda change: next(iter(change)),
)
def test_what_a_node_is_judged_by_is_seen_at_the_next_tick(node24: Hand, change: dict[str, Any]) -> None:
    serving_nodes()
    Node.objects.update(**change)
    [node] = serving_nodes()
    assert {name: getattr(node, name) for name in change} == change


def test_a_pool_that_becomes_dedicated_is_seen_at_the_next_tick(node24: Hand) -> None:
    pool = Pool.objects.create(name="stage")
    Node.objects.update(pool=pool)
    [node] = serving_nodes()
    assert node.pool is not None
    assert not node.pool.dedicated
    Pool.objects.update(dedicated=True)
    [node] = serving_nodes()
    assert node.pool is not None
    assert node.pool.dedicated
