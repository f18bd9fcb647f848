"""Which templates are offered, and which version of one would be rendered now."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.common.errors import Problem, Refused
from apps.workflows.models import WorkflowTemplate, WorkflowTemplateVersion
from workflows.roles import LATENT


def offered() -> QuerySet[WorkflowTemplate]:
    """Templates a coordinator may choose, with their ``current`` version at hand but for its content.

    One whose current version is deprecated is not offered until another one is made current. Whoever needs
    the contents of many calls services.remember.
    """
    rows = WorkflowTemplate.objects.filter(
        active=True, current__isnull=False, current__deprecation__isnull=True
    )
    return rows.select_related("current").defer("current__graph", "current__manifest")


def handing_latents_on() -> list[str]:
    """Slugs of the offered templates whose clips keep latents and can go on from others' latents."""
    rows = offered().filter(current__manifest__bindings__has_key=LATENT).order_by("slug")
    outputs = rows.values_list("slug", "current__manifest__outputs")
    return [slug for slug, saved in outputs if any(one["kind"] == LATENT for one in saved)]


def current_version(slug: str) -> WorkflowTemplateVersion:
    """Return the version that a job submitted now renders. Raises Refused, naming what is offered."""
    template = offered().filter(slug=slug).first()
    if template is None or template.current is None:
        names = ", ".join(offered().values_list("slug", flat=True)) or _("none; run manage.py sync_workflows")
        raise Refused(
            Problem("template", slug, _("is not offered; offered are: %s") % names, code="unknown_template")
        )
    # The caller reads version.template next: it is in hand.
    template.current.template = template
    return template.current


def version_numbered(template: WorkflowTemplate, number: int) -> WorkflowTemplateVersion:
    """Return a template's version by its number. Raises Refused, naming the numbers there are."""
    found = template.versions.filter(number=number).select_related("template", "deprecation").first()
    if found is None:
        numbers = ", ".join(map(str, template.versions.order_by("number").values_list("number", flat=True)))
        told = _("no such version of %(template)s; there are: %(numbers)s")
        told %= {"template": template.slug, "numbers": numbers}
        raise Refused(Problem("version", str(number), told, code="unknown_version"))
    return found
