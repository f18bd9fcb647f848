"""A file somebody brings: kept, converted, drafted, confirmed as a template or its next version."""

from __future__ import annotations

import gzip
import hashlib
import io
import json

import pytest
from django.core.files.storage import default_storage

from apps.accounts.models import User
from apps.common.errors import Conflict, NotAllowed, Refused
from apps.common.models import StateEvent
from apps.nodes.models import NodeCatalogue
from apps.workflows.catalogues import RECORDED
from apps.workflows.models import WorkflowImport, WorkflowTemplate
from apps.workflows.selectors import current_version, offered
from apps.workflows.services import sync_templates, template_of
from apps.workflows.services.confirming import RESERVED, confirm
from apps.workflows.services.importing import MOST_BYTES, Imported, convert_again, discard, import_file
from tests.factories import NodeFactory, UserFactory
from tests.integration.workflows.files import api_file, completed, graph_of, png_of
from workflows.catalogue import recorded
from workflows.load import canonical_json

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("artifact_root")]


@pytest.fixture
def root(db: None) -> User:
    made: User = UserFactory.create(username="root", is_superuser=True)
    return made


def bring(file: io.BytesIO, user: User, name: str = "My nice Graph.json") -> Imported:
    return import_file(file, name=name, catalogue_name=RECORDED, user=user)


def fields_of(refused: pytest.ExceptionInfo[Refused]) -> set[str]:
    return {problem.field for problem in refused.value.problems}


def test_a_picture_that_comfyui_wrote_becomes_a_draft_and_is_kept_as_it_came(root: User) -> None:
    picture = png_of(graph_of("sd15_t2i")).getvalue()
    made = bring(io.BytesIO(picture), root, name="ComfyUI_00001_.png")
    assert made.created
    assert made.row.state == "draft"
    assert made.row.sha256 == hashlib.sha256(picture).hexdigest()
    assert made.row.graph == graph_of("sd15_t2i")
    assert made.row.manifest["bindings"]["positive"]["targets"]
    with default_storage.open(made.row.original) as kept:
        assert kept.read() == picture


def test_the_same_file_again_leads_to_the_draft_that_is_there(root: User) -> None:
    first = bring(api_file(graph_of("sd15_t2i")), root)
    second = bring(api_file(graph_of("sd15_t2i")), root, name="other name.json")
    assert (second.created, second.row.pk) == (False, first.row.pk)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{}", "no nodes|nothing|No node"),
        (b"hello", "neither JSON nor"),
        (b"[" * 200_000, "nested too deep|JSON"),
        (json.dumps({"1": {"class_type": "X\0", "inputs": {"a": "b\0"}}}).encode(), "character"),
        (b'{"1": {"class_type": "X", "inputs": {"a": "\\ud800"}}}', "character"),
        (b'{"1": {"class_type": "X", "inputs": {"a": NaN}}}', "no number|NaN"),
        (b'{"1\\u0000": {"class_type": "X", "inputs": {"\\ud800": ["9", 0]}}}', "does not have"),
        (b'{"nodes": [{"id": "\\u0000", "type": "X\\ud800"}], "links": []}', "no node class"),
        (b"\x89PNG\r\n\x1a\n" + b"\xff" * 64, "damaged|holds no"),
    ],
)
def test_a_file_that_cannot_be_converted_is_kept_and_says_why(root: User, content: bytes, says: str) -> None:
    row = bring(io.BytesIO(content), root).row
    if row.state == "draft":
        pytest.fail(f"a graph came of {content[:40]!r}: {row.graph}")
    messages = " ".join(one["message"] for one in row.problems)
    assert row.state == "refused"
    assert any(word.lower() in messages.lower() for word in says.split("|")), messages


def test_a_file_without_end_is_refused_while_it_is_read(root: User) -> None:
    class Endless(io.RawIOBase):
        came = 0

        def read(self, size: int = -1) -> bytes:
            self.came += size
            assert self.came < 2 * MOST_BYTES
            return b"x" * size

    with pytest.raises(Refused, match="more than 30 MB"):
        import_file(Endless(), name="endless.json", catalogue_name=RECORDED, user=root)  # type: ignore[arg-type]
    assert not WorkflowImport.objects.exists()


def test_whoever_may_not_bring_workflows_is_refused(db: None) -> None:
    with pytest.raises(NotAllowed, match=r"workflows\.add_workflowtemplate"):
        bring(api_file(graph_of("sd15_t2i")), UserFactory.create(is_staff=True))
    assert not WorkflowImport.objects.exists()


def test_a_draft_without_figures_of_memory_is_not_confirmed_and_says_so_at_its_field(root: User) -> None:
    row = bring(api_file(graph_of("sd15_t2i")), root).row
    with pytest.raises(Refused) as refused:
        confirm(row, row.manifest, user=root)
    assert "vram" in fields_of(refused)
    assert not WorkflowTemplate.objects.exists()


def test_a_confirmed_draft_is_offered_and_gives_the_graph_that_was_brought(root: User) -> None:
    row = bring(api_file(graph_of("sd15_t2i")), root).row
    version = confirm(row, completed(row.manifest), user=root)
    assert list(offered().values_list("slug", flat=True)) == ["my_nice_graph"]
    assert current_version("my_nice_graph") == version
    assert template_of(version).graph == graph_of("sd15_t2i")
    row.refresh_from_db()
    assert (row.state, row.version) == ("confirmed", version)
    story = StateEvent.objects.filter(story=row.pk).values_list("to_state", flat=True)
    assert list(story) == ["draft", "confirmed"]
    with pytest.raises(Conflict, match="no open draft"):
        confirm(row, completed(row.manifest), user=root)


def test_every_problem_of_a_manifest_is_named_at_its_field(root: User) -> None:
    row = bring(api_file(graph_of("sd15_t2i")), root).row
    manifest = completed(row.manifest)
    manifest["slug"] = "not a name!"
    manifest["bindings"]["seed"]["targets"] = [{"node": "99", "input": "seed"}]
    manifest["defaults"]["width"] = 5
    manifest["outputs"] = []
    with pytest.raises(Refused) as refused:
        confirm(row, manifest, user=root)
    assert {"slug", "bindings.seed", "defaults.width", "outputs"} <= fields_of(refused)


def test_a_second_import_becomes_the_next_version_of_an_imported_template(root: User) -> None:
    first = bring(api_file(graph_of("sd15_t2i")), root).row
    one = confirm(first, completed(first.manifest), user=root)
    graph = graph_of("sd15_t2i")
    steps = next(node for node in graph.values() if node["class_type"] == "KSampler")
    steps["inputs"]["steps"] = 11
    second = bring(api_file(graph), root, name="better.json").row
    two = confirm(second, completed(second.manifest), user=root, into=one.template)
    assert (two.template, two.number) == (one.template, 2)
    assert current_version(one.template.slug) == two


@pytest.mark.parametrize("slug", sorted(RESERVED))
def test_a_name_that_is_an_address_of_the_api_is_refused(root: User, slug: str) -> None:
    row = bring(api_file(graph_of("sd15_t2i")), root).row
    with pytest.raises(Refused, match="an address of this name"):
        confirm(row, completed(row.manifest) | {"slug": slug}, user=root)


def test_an_imported_graph_never_takes_the_name_or_a_version_of_a_shipped_template(root: User) -> None:
    sync_templates()
    row = bring(api_file(graph_of("sd15_t2i")), root).row
    shipped = WorkflowTemplate.objects.get(slug="sd15_t2i")
    with pytest.raises(Refused) as taken:
        confirm(row, completed(row.manifest) | {"slug": "sd15_t2i"}, user=root)
    assert fields_of(taken) == {"slug"}
    with pytest.raises(Refused) as into:
        confirm(row, completed(row.manifest), user=root, into=shipped)
    assert fields_of(into) == {"into"}


def test_a_release_that_ships_the_name_of_an_imported_template_is_refused_and_changes_nothing(
    root: User,
) -> None:
    row = bring(api_file(graph_of("sd15_t2i")), root, name="wan22_i2v.json").row
    version = confirm(row, completed(row.manifest), user=root)
    with pytest.raises(Refused, match=r"wan22_i2v.*imported template has this name"):
        sync_templates()
    assert WorkflowTemplate.objects.get().current == version


def test_syncing_leaves_imported_templates_alone(root: User) -> None:
    row = bring(api_file(graph_of("sd15_t2i")), root).row
    version = confirm(row, completed(row.manifest), user=root)
    sync_templates()
    assert current_version("my_nice_graph") == version


def test_a_discarded_draft_can_be_converted_again(root: User) -> None:
    row = bring(api_file(graph_of("sd15_t2i")), root).row
    discard(row, user=root)
    assert convert_again(row, catalogue_name=RECORDED, user=root).state == "draft"


def test_a_file_is_converted_with_the_nodes_of_a_registered_server(root: User) -> None:
    custom = {"input": {"required": {"images": ["IMAGE"]}}, "output": ["IMAGE"], "output_node": False}
    text = canonical_json({**recorded(), "StudiosOwnNode": custom})
    kept = NodeCatalogue.objects.create(
        sha256=hashlib.sha256(text).hexdigest(), packed=gzip.compress(text), classes=1
    )
    NodeFactory.create(name="gpu24", catalogue=kept, capabilities_of="x")
    graph = graph_of("sd15_t2i")
    save = next(node for node in graph.values() if node["class_type"] == "SaveImage")
    graph["77"] = {"class_type": "StudiosOwnNode", "inputs": {"images": save["inputs"]["images"]}}
    save["inputs"]["images"] = ["77", 0]
    row = bring(api_file(graph), root).row
    assert [(one["node"], one["code"]) for one in row.problems if not one["absent"]] == [
        ("77", "missing_node_type")
    ]
    again = convert_again(row, catalogue_name="gpu24", user=root)
    assert [one for one in again.problems if not one["absent"]] == []
    with pytest.raises(Refused, match=r"ComfyUI 0\.27\.0, gpu24"):
        convert_again(row, catalogue_name="gpu99", user=root)


def test_an_unknown_class_is_told_with_its_node(root: User) -> None:
    graph = graph_of("sd15_t2i")
    graph["77"] = {"class_type": "NobodysNode", "inputs": {}}
    row = bring(api_file(graph), root).row
    assert ("77", "missing_node_type") in {(one["node"], one["code"]) for one in row.problems}
