"""Packaged workflows in the database, version by version."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from apps.common.errors import Refused
from apps.workflows.models import FrozenVersionError, WorkflowTemplate, WorkflowTemplateVersion
from apps.workflows.selectors import current_version, offered
from apps.workflows.services import sync_templates, template_of
from workflows.load import Template, all_templates, load, slugs, template_from

pytestmark = pytest.mark.django_db

SLUGS = slugs()


def with_title(title: str) -> Template:
    """plain_slate as a later release would ship it."""
    packaged = load("plain_slate")
    document = copy.deepcopy(packaged.document)
    document["title"]["en"] = title
    return template_from(packaged.graph, document)


def test_a_first_sync_makes_version_one_of_every_packaged_template() -> None:
    assert list(sync_templates().created) == SLUGS
    assert list(offered().values_list("slug", flat=True)) == SLUGS
    version = current_version("sd15_t2i")
    assert version.number == 1
    assert "KSampler" in version.classes
    assert version.models_needed == [
        {"folder": "checkpoints", "name": "v1-5-pruned-emaonly-fp16.safetensors", "precision": None}
    ]


def test_a_second_sync_changes_nothing() -> None:
    sync_templates()
    before = list(WorkflowTemplate.objects.values()), list(WorkflowTemplateVersion.objects.values())
    assert list(sync_templates().unchanged) == SLUGS
    assert (list(WorkflowTemplate.objects.values()), list(WorkflowTemplateVersion.objects.values())) == before


def test_new_content_becomes_a_new_version_and_the_old_one_stays() -> None:
    sync_templates()
    first = current_version("plain_slate")
    sync_templates([with_title("Board")])
    second = current_version("plain_slate")
    assert (first.number, second.number, second.template.title) == (1, 2, "Board")
    assert WorkflowTemplateVersion.objects.get(pk=first.pk).content_hash == first.content_hash


def test_after_a_rollback_the_old_version_is_current_again() -> None:
    sync_templates()
    first = current_version("plain_slate")
    sync_templates([with_title("Board")])
    sync_templates()
    assert current_version("plain_slate") == first
    assert WorkflowTemplateVersion.objects.filter(template__slug="plain_slate").count() == 2


def test_a_withdrawn_template_stays_withdrawn_and_is_refused_by_name() -> None:
    sync_templates()
    WorkflowTemplate.objects.filter(slug="flux_t2i").update(active=False)
    sync_templates()
    with pytest.raises(Refused, match=r"flux_t2i.*offered are: (?!.*flux_t2i).*plain_slate, .*wan22_i2v"):
        current_version("flux_t2i")


def test_an_unknown_template_is_refused_naming_what_is_offered() -> None:
    sync_templates()
    with pytest.raises(Refused) as refused:
        current_version("sdxl")
    (problem,) = refused.value.problems
    assert (problem.field, problem.value, problem.code) == ("template", "sdxl", "unknown_template")
    assert "plain_slate" in str(problem)


def test_a_manifest_that_does_not_fit_its_graph_is_refused_with_nothing_written() -> None:
    packaged = load("plain_slate")
    graph = {node: body for node, body in packaged.graph.items() if node != "1"}
    with pytest.raises(Refused, match="plain_slate manifest"):
        sync_templates([load("sd15_t2i"), template_from(graph, packaged.document)])
    assert not WorkflowTemplate.objects.exists()


@pytest.mark.parametrize(
    "attempt",
    [
        lambda version: version.save(),
        lambda version: version.delete(),
        lambda version: WorkflowTemplateVersion.objects.filter(pk=version.pk).update(number=9),
        lambda version: WorkflowTemplateVersion.objects.filter(pk=version.pk).delete(),
        lambda version: WorkflowTemplateVersion.objects.bulk_update([version], ["number"]),
    ],
    ids=["save", "delete", "update", "delete many", "bulk update"],
)
def test_a_version_can_be_neither_changed_nor_deleted(
    attempt: Callable[[WorkflowTemplateVersion], object],
) -> None:
    sync_templates()
    version = current_version("plain_slate")
    with pytest.raises(FrozenVersionError):
        attempt(version)


def test_the_database_itself_refuses_a_changed_version() -> None:
    sync_templates()
    table = WorkflowTemplateVersion._meta.db_table
    with (
        pytest.raises(IntegrityError, match="never changed"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"UPDATE {table} SET number = 9")  # noqa: S608 - a table name of ours


def test_a_version_gives_back_the_template_it_was_made_from() -> None:
    sync_templates()
    for packaged in all_templates():
        version = WorkflowTemplateVersion.objects.get(content_hash=packaged.sha256)
        assert template_of(version) == packaged


def test_a_template_is_parsed_once_per_process() -> None:
    sync_templates()
    assert template_of(current_version("wan22_i2v")) is template_of(current_version("wan22_i2v"))


def test_the_command_tells_what_changed() -> None:
    said = io.StringIO()
    call_command("sync_workflows", stdout=said)
    call_command("sync_workflows", stdout=said)
    assert said.getvalue().splitlines() == [f"created: {', '.join(SLUGS)}", f"unchanged: {', '.join(SLUGS)}"]
