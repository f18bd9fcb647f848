"""The failure rules that come with a release: what design §6 says of each class."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from django.apps.registry import Apps
from django.db import DEFAULT_DB_ALIAS
from django.utils.translation import gettext_noop

from apps.renders.models import Action
from farm.contracts import FailureClass


@dataclass(frozen=True)
class Shipped:
    """One rule, by its name. Operators' own rules come before: they begin at 100."""

    order: int
    name: str
    reported_class: str
    action: str
    advice: str = ""


SHIPPED: Final = (
    Shipped(1000, gettext_noop("Out of memory"), FailureClass.OUT_OF_MEMORY, Action.NEXT_TIER),
    Shipped(1010, gettext_noop("Graph rejected"), FailureClass.REJECTED_GRAPH, Action.FAIL),
    Shipped(1020, gettext_noop("Input missing"), FailureClass.INPUT_MISSING, Action.FAIL),
    Shipped(1030, gettext_noop("Model missing"), FailureClass.MISSING_MODEL, Action.RETRY),
    Shipped(1040, gettext_noop("ComfyUI crashed"), FailureClass.COMFY_CRASHED, Action.RETRY_FREE),
    Shipped(1050, gettext_noop("ComfyUI hung"), FailureClass.COMFY_HUNG, Action.RETRY_FREE),
    Shipped(1060, gettext_noop("Infrastructure"), FailureClass.INFRASTRUCTURE, Action.RETRY_FREE),
    Shipped(1070, gettext_noop("Output invalid"), FailureClass.OUTPUT_INVALID, Action.ONCE),
    Shipped(1080, gettext_noop("Timed out"), FailureClass.TIMED_OUT, Action.RETRY),
    Shipped(
        1090,
        gettext_noop("Stopped in ComfyUI"),
        FailureClass.INTERRUPTED,
        Action.RETRY_FREE,
        gettext_noop("somebody stopped it in ComfyUI itself"),
    ),
    Shipped(9000, gettext_noop("Anything else"), "", Action.RETRY),
)
"""In the order they are tried. ComfyUI going down counts as a crash whatever the rule says (failures.py)."""


def ship(*, apps: Apps, using: str = DEFAULT_DB_ALIAS, **_: Any) -> None:
    """Write the rules of this release; called after every migrate, and harmless twice.

    A row nobody edited (its version is 0) follows the release. What an operator edited stays as it is, and so
    does what they switched off: a shipped rule cannot be deleted.
    """
    if "failurerule" not in apps.all_models["renders"]:
        return  # migrated back to before there were rules
    rules = apps.get_model("renders", "FailureRule")._default_manager.using(using)
    known = {row.name: row for row in rules.filter(name__in=[rule.name for rule in SHIPPED])}
    for rule in SHIPPED:
        facts = asdict(rule) | {"builtin": True}
        row = known.get(rule.name)
        if row is None:
            rules.create(**facts)
        elif row.row_version == 0 and any(getattr(row, name) != value for name, value in facts.items()):
            rules.filter(pk=row.pk, row_version=0).update(**facts)
