"""The serving nodes, as every tick needs them: hundreds of rows, of which few differ from the tick before."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, Final

from django.db import DEFAULT_DB_ALIAS
from django.db.models import TextField
from django.db.models.functions import Cast

from apps.nodes.models import Node, Pool
from apps.nodes.selectors import serving

_JUDGED_BY: Final = frozenset(
    {"id", "name", "epoch", "tier_gb", "pool_id", "tags", "capabilities_of", "reason"}
    | {"resident", "hears", "keys"}
)
_LISTS: Final = ("resident", "hears", "keys")
_COLUMNS: Final = [
    field.attname for field in Node._meta.concrete_fields if field.attname in _JUDGED_BY
]  # in the order in which from_db takes them


def serving_nodes() -> list[Node]:
    """Read the nodes that may be given work now, with what they are judged by; one query.

    A row that reads as it did before is the object of before: do not change it.
    """
    rows = serving().annotate(**{f"{name}_text": Cast(name, TextField()) for name in _LISTS})
    asked = [f"{name}_text" if name in _LISTS else name for name in _COLUMNS]
    return [_node(*row) for row in rows.values_list("pool__dedicated", *asked)]


@lru_cache(maxsize=4_000)
def _node(dedicated: bool | None, *values: Any) -> Node:
    told = dict(zip(_COLUMNS, values, strict=True))
    told |= {name: json.loads(told[name]) for name in _LISTS}
    node = Node.from_db(DEFAULT_DB_ALIAS, _COLUMNS, list(told.values()))
    node.pool = None if node.pool_id is None else Pool(pk=node.pool_id, dedicated=bool(dedicated))
    return node
