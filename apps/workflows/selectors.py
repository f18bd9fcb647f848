"""Which templates are offered, and which version of one would be rendered now."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.common.errors import Problem, Refused
from apps.workflows.models import WorkflowTemplate, WorkflowTemplateVersion


def offered() -> QuerySet[WorkflowTemplate]:
    """Templates a coordinator may choose, with their ``current`` version at hand."""
    return WorkflowTemplate.objects.filter(active=True, current__isnull=False).select_related("current")


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
