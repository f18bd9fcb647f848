"""Notices in words, in the language in use, and the page each leads to."""

from __future__ import annotations

from typing import Any, Final

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from apps.common.phrases import Phrases
from apps.nodes.words import reason_in_words as node_reason_in_words
from apps.notices.kinds import OF_NODES, Kind
from apps.notices.models import Notice
from apps.renders.states import JobState
from apps.renders.words import FAILURES, reason_in_words
from apps.workflows.models import Kind as Product

FAULTS: Final = Phrases(
    (
        gettext_noop("e-mail is not set up here: SHOTFARM_SMTP is not set"),
        gettext_noop("no e-mail address is known"),
        gettext_noop("whoever this is for may not see it any more"),
        gettext_noop("HTTP %(status)s: it sends elsewhere, and redirects are not followed"),
        gettext_noop("no whole answer within %(seconds)s s"),
        gettext_noop("the name %(host)s is not found (%(why)s)"),
        gettext_noop(
            "%(host)s is not found on the public internet; check the name, or, if webhooks may go inside "
            "your own network, set SHOTFARM_WEBHOOK_PRIVATE=1"
        ),
    )
)
"""Why a delivery did not arrive, as services.mail, .webhook and .delivering write it down."""


def fault_in_words(fault: str) -> str:
    """Say why a delivery did not arrive in the reader's language; what a server said stays as it is."""
    return FAULTS.say(fault)


def sentence(notice: Notice) -> str:
    """Say what a notice tells, in one sentence."""
    kind = Kind(notice.kind)
    if kind in (Kind.BATCH_DONE, Kind.BATCH_FAILED):
        return _of_batch(kind, notice.code, notice.items[0])
    if kind in OF_NODES:
        return _of_nodes(kind, notice)
    if kind is Kind.PING:
        return _("This is a test: notices arrive here.")
    if kind is Kind.SHOT_AUTOMATION:
        return _of_shots(notice)
    return _of_jobs(kind, notice)


def address_of(notice: Notice) -> str:
    """Return the path of the page that shows more: the one job or node, else the batch or the farm."""
    kind = Kind(notice.kind)
    only: dict[str, Any] = notice.items[0] if len(notice.items) == 1 and notice.count == 1 else {}
    if kind is Kind.PING:
        return reverse("admin:notices_subscription_change", args=[notice.subscription_id])
    if kind in OF_NODES:
        return reverse("admin:nodes_node_change", args=[only["node"]]) if only else reverse("desk:farm")
    if kind is Kind.SHOT_AUTOMATION:
        if only:
            return reverse("admin:productions_shot_change", args=[only["shot"]])
        return f"{reverse('admin:productions_shot_changelist')}?project__id__exact={notice.about}"
    if "job" in only:
        return reverse("admin:renders_job_change", args=[only["job"]])
    return reverse("admin:renders_renderbatch_change", args=[notice.about])


def lines_of(notice: Notice) -> list[str]:
    """Say what each of its events was about, a line each."""
    return [line for item in notice.items if (line := _line(item))]


def more_than_named(notice: Notice) -> int:
    """How many events it tells of beside those it names; a test names none, and means none."""
    return max(0, notice.count - len(notice.items)) if notice.items else 0


def _line(item: dict[str, Any]) -> str:
    if "job" in item:
        product = Product(item["kind"]).label if item["kind"] in Product.values else item["kind"]
        take = _("take %(number)d") % {"number": item["take"]}
        said = f"{item['code']} · {item['shot']} {product} {take}"
        failure = item.get("failure")
        why = reason_in_words(item["reason"])
        if failure:
            why = f"{FAILURES.get(failure, failure)}: {why}"
        return said if item["state"] == JobState.SUCCEEDED else f"{said} · {why}"
    if "status" in item:
        return f"{item['code']} · {reason_in_words(item['reason'])}"
    if "node" in item:
        why = node_reason_in_words(item["reason"])
        return f"{item['name']} · {why}" if why else str(item["name"])
    return str(item.get("note", ""))


def _of_batch(kind: Kind, code: str, item: dict[str, Any]) -> str:
    counted = item["by_state"]
    done = counted.get(JobState.SUCCEEDED, 0)
    failed = counted.get(JobState.FAILED, 0) + counted.get(JobState.QUARANTINED, 0)
    facts = {"batch": code, "done": done, "failed": failed, "total": item["jobs"]}
    if kind is Kind.BATCH_DONE:
        return (
            ngettext(
                "%(batch)s is done: %(done)d job rendered.",
                "%(batch)s is done: %(done)d jobs rendered.",
                done,
            )
            % facts
        )
    if item["jobs"] == 1:
        return _("%(batch)s has ended: its only job failed.") % facts
    return (
        ngettext(
            "%(batch)s has ended: %(failed)d of %(total)d jobs failed.",
            "%(batch)s has ended: %(failed)d of %(total)d jobs failed.",
            failed,
        )
        % facts
    )


def _of_jobs(kind: Kind, notice: Notice) -> str:
    count = notice.count
    facts = {"batch": notice.code, "count": count, "job": notice.items[0]["code"]}
    if kind is Kind.JOB_DONE:
        told = ngettext(
            "%(job)s of %(batch)s is rendered.", "%(count)d jobs of %(batch)s are rendered.", count
        )
    elif kind is Kind.JOB_FAILED:
        told = ngettext("%(job)s of %(batch)s failed.", "%(count)d jobs of %(batch)s failed.", count)
    else:
        told = ngettext(
            "%(job)s of %(batch)s is quarantined: it took workers down.",
            "%(count)d jobs of %(batch)s are quarantined: they took workers down.",
            count,
        )
    return told % facts


def _of_shots(notice: Notice) -> str:
    first = notice.items[0]
    facts = {"shot": first["code"], "count": notice.count, "project": notice.code}
    facts["name"] = reason_in_words(first["reason"])
    told = ngettext(
        "%(shot)s of %(project)s: %(name)s.",
        "%(count)d shots of %(project)s: %(name)s.",
        notice.count,
    )
    return told % facts


def _of_nodes(kind: Kind, notice: Notice) -> str:
    names = list(dict.fromkeys(str(item["name"]) for item in notice.items))
    if len(names) == 1 and notice.count <= len(notice.items):
        facts: dict[str, Any] = {"node": names[0], "times": notice.count}
        once = {
            Kind.NODE_SICK: _("The node %(node)s is sick."),
            Kind.NODE_DEAF: _("The node %(node)s is deaf."),
            Kind.NODE_OFFLINE: _("The node %(node)s went offline."),
            Kind.NODE_BACK: _("The node %(node)s is back."),
        }[kind] % facts
        return once if notice.count == 1 else _("%(told)s (%(times)d times)") % {"told": once, **facts}
    told = {
        Kind.NODE_SICK: _("Nodes are sick: %(nodes)s."),
        Kind.NODE_DEAF: _("Nodes are deaf: %(nodes)s."),
        Kind.NODE_OFFLINE: _("Nodes went offline: %(nodes)s."),
        Kind.NODE_BACK: _("Nodes are back: %(nodes)s."),
    }[kind]
    more = notice.count - len(notice.items)
    listed = ", ".join(names) + (f" … + {more}" if more > 0 else "")
    return told % {"nodes": listed}
