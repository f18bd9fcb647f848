"""Plan a project's own looks: sets of presets that stand in its sheets; the studio's are never touched."""

from __future__ import annotations

from django.utils.translation import gettext as _

from apps.presets.models import Look
from apps.productions.importing.changes import Plan
from apps.productions.importing.known import Known
from apps.productions.importing.plan_presets import listed, presets_named
from apps.productions.importing.records import Record


def plan_look(plan: Plan, record: Record, known: Known) -> None:
    """Compare a look with the project's own of this key."""
    slug = record.values["slug"]
    values = {name: value for name, value in record.values.items() if name not in ("slug", "presets")}
    identity = {"project_id": known.project_id, "slug": slug}
    change = plan.add(record, Look, known.looks.get(slug), identity=identity, values=values)
    if change.new and slug in known.looks_of_studio:
        told = _("the studio has one of this key; choose another")
        plan.problems.append(record.problem("slug", slug, told, code="taken"))
    look = known.looks[slug] = change.row
    if "presets" not in record.values:
        return
    names = record.values["presets"]
    wanted = presets_named(plan, record, [("presets", name, "") for name in names], known)
    if not names:
        told = _("a look has at least one preset")
        plan.problems.append(record.problem("presets", "", told, code="required"))
    there = known.look_presets.get(look.pk, [])
    if there != [preset.pk for preset in wanted]:
        before = listed(known.preset_rows[key] for key in there)
        change.said["presets"] = (before, listed(wanted))
        plan.looks_set[look.pk] = [preset.pk for preset in wanted]
