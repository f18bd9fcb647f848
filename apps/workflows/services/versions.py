"""Which version of a template is rendered: chosen, deprecated, withdrawn. Versions never change."""

from __future__ import annotations

import logging
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Conflict, Problem, Refused
from apps.common.machines import record_event
from apps.ledger.services.recording import changing
from apps.workflows.models import VersionDeprecation, WorkflowTemplate, WorkflowTemplateVersion
from apps.workflows.services.managing import require_manage
from apps.workflows.states import TEMPLATE, VERSION

logger = logging.getLogger(__name__)

LONGEST_REASON: Final = 400


def make_current(version: WorkflowTemplateVersion, *, user: User) -> bool:
    """Let new renders use this version, older or newer; return False if they do already.

    An older one is kept by sync_workflows until the newest is chosen again. Raises NotAllowed, and Refused
    for a deprecated version.
    """
    require_manage(user)
    with changing(WorkflowTemplate, [version.template_id], actor=user):
        return _make_current(version, user)


def _make_current(version: WorkflowTemplateVersion, user: User) -> bool:
    row = _locked(version)
    if VersionDeprecation.objects.filter(version=version).exists():
        told = _("this version is deprecated; offer it again first, or choose another")
        raise Refused(Problem("version", str(version.number), told, code="deprecated"))
    if row.current_id == version.pk:
        return False
    before, newest = row.current, row.versions.order_by("-number").first()
    row.current = version
    row.chosen_by = "" if newest == version else user.get_username()
    row.save(update_fields=["current", "chosen_by", "updated_at"])
    record_event(
        TEMPLATE,
        row.pk,
        from_state=f"v{before.number}" if before else "",
        to=f"v{version.number}",
        actor=user.get_username(),
        reason="made the current version",
        data={"template": row.slug},
    )
    return True


@transaction.atomic
def deprecate(version: WorkflowTemplateVersion, *, reason: str, user: User) -> bool:
    """Offer this version to no new render; return False if it was deprecated before.

    Takes made with it can be rendered again exactly. Raises NotAllowed; Refused without a reason.
    """
    require_manage(user)
    reason = " ".join(reason.split())
    if not reason or len(reason) > LONGEST_REASON:
        told = _("say why, in 1 to %d characters: people who rendered with it will read this")
        raise Refused(Problem("reason", reason[:40], told % LONGEST_REASON, code="required"))
    _locked(version)
    _row, created = VersionDeprecation.objects.get_or_create(
        version=version, defaults={"reason": reason, "by": user.get_username()}
    )
    if created:
        _tell(version, "offered", "deprecated", reason, user)
    return created


@transaction.atomic
def offer_again(version: WorkflowTemplateVersion, *, user: User) -> bool:
    """Take a deprecation back; return False if there is none. Raises NotAllowed."""
    require_manage(user)
    _locked(version)
    gone, _rows = VersionDeprecation.objects.filter(version=version).delete()
    if gone:
        _tell(version, "deprecated", "offered", "", user)
    return bool(gone)


def set_offered(template: WorkflowTemplate, *, offered: bool, user: User) -> bool:
    """Withdraw a whole template, or offer it again; return False if it is so already. Raises NotAllowed."""
    require_manage(user)
    with changing(WorkflowTemplate, [template.pk], actor=user):
        row = WorkflowTemplate.objects.select_for_update(no_key=True, of=("self",)).get(pk=template.pk)
        if row.active == offered:
            return False
        row.active = offered
        row.save(update_fields=["active", "updated_at"])
        record_event(
            TEMPLATE,
            row.pk,
            from_state="withdrawn" if offered else "offered",
            to="offered" if offered else "withdrawn",
            actor=user.get_username(),
            data={"template": row.slug},
        )
    return True


def _locked(version: WorkflowTemplateVersion) -> WorkflowTemplate:
    """The version's template, whose versions nobody else changes the standing of until this ends."""
    row = (
        WorkflowTemplate.objects.select_for_update(no_key=True, of=("self",))
        .filter(pk=version.template_id)
        .first()
    )
    if row is None:
        raise Conflict(Problem("template", str(version.template_id), _("it is gone"), code="gone"))
    return row


def _tell(version: WorkflowTemplateVersion, before: str, after: str, reason: str, user: User) -> None:
    record_event(
        VERSION,
        version.pk,
        story=version.template_id,
        from_state=before,
        to=after,
        actor=user.get_username(),
        reason=reason,
        data={"version": str(version)},
    )
    logger.info("template version %s", after, extra={"version": str(version), "by": user.get_username()})
