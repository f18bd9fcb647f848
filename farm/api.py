"""Every address of the REST API. Workers have none here: a user's token cannot report results."""

from __future__ import annotations

from csp.decorators import csp_update
from django.contrib.auth.decorators import login_required
from django.urls import include, path
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from apps.accounts.api import LoginView, LogoutAllView, LogoutView
from apps.characters.api import CharacterViewSet
from apps.characters.api_references import ReferencesViewSet
from apps.desk.api import ArchiveFileView, ArtifactFileView, MaterialFileView
from apps.desk.api_farm import TiersView
from apps.folders.api import (
    FolderedProjectViewSet,
    FolderedShotViewSet,
    LayoutViewSet,
    MountViewSet,
    PublicationViewSet,
    PublishedTakeViewSet,
)
from apps.keeping.api import ArchiveViewSet
from apps.nodes.api import PoolViewSet, ScheduleViewSet
from apps.notices.api import DeliveryViewSet, NoticeViewSet, SubscriptionViewSet
from apps.presets.api import (
    CategoryViewSet,
    ExportView,
    ImportView,
    LookViewSet,
    PresetViewSet,
    RuleViewSet,
)
from apps.productions.api import (
    ApplyPresetsView,
    AssigneesViewSet,
    CastingViewSet,
    CoverViewSet,
    EpisodeViewSet,
    LocationViewSet,
    PresetCheckView,
    SequenceViewSet,
    StatusViewSet,
)
from apps.projects.api_history import ActivityViewSet, BulkViewSet
from apps.projects.api_members import MemberViewSet
from apps.recipes.api import RecipeViewSet, RunViewSet
from apps.renders.api import (
    BatchViewSet,
    BlockViewSet,
    BuildViewSet,
    ComposerViewSet,
    DownloadsView,
    HoldViewSet,
    JobViewSet,
    LimitViewSet,
    MaterialViewSet,
    ModelsView,
    ProjectMaterialViewSet,
    PromptViewSet,
    ProofViewSet,
    RecommendationViewSet,
    RehearsedAutomationViewSet,
    RenderingTemplateViewSet,
    SequenceMaterialViewSet,
    ShotBuildViewSet,
    ShotMaterialViewSet,
    WorkingNodeViewSet,
)
from apps.review.api import NoteViewSet, PlaylistViewSet
from apps.sheets.api import ExportViewSet, SheetImportViewSet
from apps.workflows.api_imports import ImportViewSet
from farm import content_policy
from farm.description import Description

router = SimpleRouter(trailing_slash=False)
router.register("projects", FolderedProjectViewSet)
router.register("episodes", EpisodeViewSet)
router.register("sequences", SequenceViewSet)
router.register("locations", LocationViewSet)
router.register("shots", FolderedShotViewSet)
router.register("statuses", StatusViewSet, basename="status")
router.register("automations", RehearsedAutomationViewSet)
router.register("characters", CharacterViewSet)
router.register("activity", ActivityViewSet)
router.register("bulk-changes", BulkViewSet, basename="bulk-change")
router.register("presets", PresetViewSet, basename="preset")
router.register("preset-categories", CategoryViewSet, basename="preset-category")
router.register("preset-rules", RuleViewSet, basename="preset-rule")
router.register("looks", LookViewSet, basename="look")
router.register("templates", RenderingTemplateViewSet, basename="template")
router.register("imports", ImportViewSet, basename="import")
router.register("batches", BatchViewSet, basename="batch")
router.register("jobs", JobViewSet)
router.register("notes", NoteViewSet, basename="note")
router.register("playlists", PlaylistViewSet, basename="playlist")
router.register("takes", PublishedTakeViewSet)
router.register("publications", PublicationViewSet)
router.register("layouts", LayoutViewSet, basename="layout")
router.register("mounts", MountViewSet)
router.register("materials", MaterialViewSet)
router.register("recipes", RecipeViewSet)
router.register("recipe-runs", RunViewSet)
router.register("nodes", WorkingNodeViewSet)
router.register("pools", PoolViewSet)
router.register("schedules", ScheduleViewSet)
router.register("proofs", ProofViewSet, basename="proof")
router.register("blocks", BlockViewSet, basename="block")
router.register("holds", HoldViewSet)
router.register("limits", LimitViewSet)
router.register("notices", NoticeViewSet)
router.register("subscriptions", SubscriptionViewSet)
router.register("deliveries", DeliveryViewSet)

v1 = [
    path("auth/login", LoginView.as_view(), name="login"),
    path("auth/logout", LogoutView.as_view(), name="logout"),
    path("auth/logoutall", LogoutAllView.as_view(), name="logoutall"),
    path("artifacts/<uuid:artifact_id>/file", ArtifactFileView.as_view(), name="artifact-file"),
    path(
        "shots/<uuid:pk>/recommendation",
        RecommendationViewSet.as_view({"get": "retrieve", "post": "decide"}),
        name="shot-recommendation",
    ),
    path(
        "shots/<uuid:pk>/prompt",
        PromptViewSet.as_view({"get": "retrieve", "post": "try_out"}),
        name="shot-prompt",
    ),
    path("shots/<uuid:pk>/prompt/edits", PromptViewSet.as_view({"get": "edits"}), name="shot-prompt-edits"),
    path(
        "shots/<uuid:pk>/prompt/edits/<str:channel>",
        PromptViewSet.as_view({"put": "edit", "delete": "drop"}),
        name="shot-prompt-edit",
    ),
    path("shots/<uuid:pk>/prompts", ShotBuildViewSet.as_view({"get": "list"}), name="shot-prompts"),
    path(
        "shots/<uuid:pk>/prompts/compare",
        ShotBuildViewSet.as_view({"get": "compare"}),
        name="shot-prompts-compare",
    ),
    path("prompts/<uuid:pk>", BuildViewSet.as_view({"get": "retrieve"}), name="prompt-detail"),
    path(
        "projects/<str:code>/composer",
        ComposerViewSet.as_view({"get": "retrieve", "put": "put"}),
        name="project-composer",
    ),
    *(
        path(f"{at}/materials", view.as_view({"get": "list", "post": "create"}), name=f"{name}-materials")
        for at, name, view in (
            ("shots/<uuid:pk>", "shot", ShotMaterialViewSet),
            ("sequences/<uuid:pk>", "sequence", SequenceMaterialViewSet),
            ("projects/<str:code>", "project", ProjectMaterialViewSet),
        )
    ),
    path(
        "projects/<str:code>/imports",
        SheetImportViewSet.as_view({"get": "list", "post": "create"}),
        name="project-imports",
    ),
    path(
        "projects/<str:code>/imports/<uuid:batch_id>",
        SheetImportViewSet.as_view({"get": "retrieve", "patch": "partial_update"}),
        name="project-import",
    ),
    path(
        "projects/<str:code>/imports/<uuid:batch_id>/rows",
        SheetImportViewSet.as_view({"get": "rows"}),
        name="project-import-rows",
    ),
    *(
        path(
            f"projects/<str:code>/imports/<uuid:batch_id>/{deed}",
            SheetImportViewSet.as_view({"post": deed}),
            name=f"project-import-{deed}",
        )
        for deed in ("confirm", "undo", "discard")
    ),
    path(
        "projects/<str:code>/archives",
        ArchiveViewSet.as_view({"get": "list", "post": "create"}),
        name="project-archives",
    ),
    path(
        "projects/<str:code>/archives/<uuid:archive_id>",
        ArchiveViewSet.as_view({"get": "retrieve"}),
        name="project-archive",
    ),
    path(
        "projects/<str:code>/archives/<uuid:archive_id>/discard",
        ArchiveViewSet.as_view({"post": "discard"}),
        name="project-archive-discard",
    ),
    path("archives/<uuid:archive_id>/file", ArchiveFileView.as_view(), name="archive-file"),
    path("projects/<str:code>/export", ExportViewSet.as_view({"get": "retrieve"}), name="project-export"),
    path(
        "projects/<str:code>/members",
        MemberViewSet.as_view({"get": "list", "post": "create"}),
        name="project-members",
    ),
    path(
        "projects/<str:code>/members/<uuid:member_id>",
        MemberViewSet.as_view({"patch": "partial_update", "delete": "destroy"}),
        name="project-member",
    ),
    path(
        "shots/<uuid:pk>/assignees",
        AssigneesViewSet.as_view({"get": "retrieve", "post": "assign"}),
        name="shot-assignees",
    ),
    path("materials/<uuid:material_id>/file", MaterialFileView.as_view(), name="material-file"),
    path("presets/check", PresetCheckView.as_view(), name="preset-check"),
    path("presets/export", ExportView.as_view(), name="preset-export"),
    path("presets/import", ImportView.as_view(), name="preset-import"),
    path("shots/apply-presets", ApplyPresetsView.as_view(), name="shots-apply-presets"),
    path(
        "projects/<str:code>/picture",
        CoverViewSet.as_view({"get": "retrieve", "put": "put", "delete": "destroy"}),
        name="project-picture",
    ),
    path(
        "characters/<uuid:pk>/references",
        ReferencesViewSet.as_view({"get": "retrieve", "post": "create"}),
        name="character-references",
    ),
    path(
        "characters/<uuid:pk>/references/<uuid:reference_id>",
        ReferencesViewSet.as_view({"put": "replace", "patch": "change", "delete": "remove"}),
        name="character-reference",
    ),
    path("shots/casting", CastingViewSet.as_view({"get": "list", "post": "cast"}), name="shots-casting"),
    path("farm/tiers", TiersView.as_view(), name="farm-tiers"),
    path("models", ModelsView.as_view(), name="models"),
    path("models/downloads", DownloadsView.as_view(), name="models-downloads"),
    *router.urls,
]

# Without metadata OPTIONS is a method that is not offered; the answer to it has no template.
docs = login_required(SpectacularSwaggerSplitView.as_view(url_name="api:schema", metadata_class=None))

app_name = "api"
urlpatterns = [
    path("v1/", include(v1)),
    path("schema/", Description.as_view(), name="schema"),
    path("docs/", csp_update(content_policy.API_PAGE)(docs), name="docs"),
]
