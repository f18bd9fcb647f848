"""Which pages are pictured, and where they are in a given farm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from tests.acceptance.farm_fixture import Farm

TOLD: Final = "SELECT id FROM notices_notice WHERE recipient_id IS NOT NULL ORDER BY count DESC LIMIT 1"
IMPORTED: Final = "SELECT id FROM workflows_workflowimport WHERE file_name = '{}'"
VERSION: Final = (
    "SELECT version.id FROM workflows_workflowtemplateversion version JOIN workflows_workflowtemplate "
    "template ON template.id = version.template_id WHERE template.slug = '{}' AND version.number = {}"
)
WEBHOOK: Final = "SELECT id FROM notices_subscription WHERE road = 'webhook' LIMIT 1"
REFUSED: Final = (
    "SELECT job.id FROM renders_job job JOIN renders_lane lane ON lane.id = job.lane_id "
    "WHERE job.state = 'ready' AND NOT job.held AND lane.wait_nodes <> '[]' LIMIT 1"
)
"""A job that waits, and what each node says to it."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """One picture: ``name``.png of what ``path`` shows. ``main``: also in Korean and on a narrow screen."""

    name: str
    title: str
    path: str
    main: bool = False
    height: int = 1000
    press: str = ""
    status: int = 200


def pages_of(farm: Farm) -> Iterator[Page]:
    """Every kind of page."""

    def row(query: str) -> str:
        return str(UUID(str(next(iter(farm.rows(query)[0].values())))))

    job = "/admin/renders/job/{}/change/"
    running = row("SELECT id FROM renders_job WHERE state = 'running' ORDER BY progress DESC LIMIT 1")
    failed = row("SELECT id FROM renders_job WHERE state = 'failed' LIMIT 1")
    clip_job = row("SELECT id FROM renders_job WHERE kind = 'clip' AND state = 'succeeded' LIMIT 1")
    waiting = row(REFUSED)
    shot = row("SELECT shot_id FROM review_take WHERE kind = 'clip' ORDER BY created_at LIMIT 1")
    project = row("SELECT project_id FROM review_take WHERE kind = 'clip' ORDER BY created_at LIMIT 1")
    clip = row("SELECT id FROM review_take WHERE kind = 'clip' ORDER BY created_at LIMIT 1")
    still = row("SELECT id FROM review_take WHERE review_state = 'retake' LIMIT 1")
    batch = row("SELECT batch_id FROM renders_job WHERE state = 'running' LIMIT 1")
    node = row("SELECT id FROM nodes_node WHERE tier_gb = 24")
    steered = row("SELECT id FROM renders_job WHERE deadline IS NOT NULL AND kind = 'keyframe' LIMIT 1")
    trailer = row("SELECT batch_id FROM renders_job WHERE deadline IS NOT NULL LIMIT 1")
    sequence = row("SELECT id FROM productions_sequence WHERE code = 'SQ020' LIMIT 1")
    limit = row("SELECT id FROM renders_limit")
    one = "SELECT id FROM {} ORDER BY id LIMIT 1"

    def imported(name: str) -> str:
        return f"/admin/workflows/workflowimport/{row(IMPORTED.format(name))}/change/"

    def version_of(slug: str, number: int) -> str:
        return f"/admin/workflows/workflowtemplateversion/{row(VERSION.format(slug, number))}"

    sd15 = row("SELECT current_id FROM workflows_workflowtemplate WHERE slug = 'sd15_t2i'")

    yield Page(name="home", title="Home", path="/admin/", main=True)
    yield Page(
        name="farm", title="Farm: nodes, GPUs, queues by VRAM tier", path="/admin/desk/farm/", main=True
    )
    yield Page(name="shots", title="Shots", path="/admin/productions/shot/", main=True)
    yield Page(
        name="shots_gallery",
        title="Shots as a gallery",
        path="/admin/productions/shot/",
        press="button[name=view][value=gallery]",
    )
    yield Page(
        name="shots_order",
        title="Shots of one sequence: cells to edit, rows to put in order",
        path=f"/admin/productions/shot/?sequence__id__exact={sequence}",
        press="button[name=view][value=list]",  # the choice is remembered: the pages after this one are lists
    )
    yield Page(
        name="shot", title="A shot", path=f"/admin/productions/shot/{shot}/change/", main=True, height=1400
    )
    yield Page(
        name="prompt",
        title="A shot's prompt: every word with its origin, by hand where you like",
        path=f"/admin/productions/shot/{shot}/prompt/?template=flux_t2i",
        main=True,
        height=1400,
    )
    yield Page(
        name="prompt-order",
        title="In which order a project's prompts are written",
        path=f"/admin/projects/project/{project}/composer/",
        height=1200,
    )
    yield Page(
        name="render",
        title="Render…: what it makes is told as you choose",
        path=f"/admin/productions/shot/{shot}/render/",
        main=True,
        height=1200,
        press="details.sf-panel > summary",
    )
    yield Page(name="batch", title="A batch", path=f"/admin/renders/renderbatch/{batch}/change/", main=True)
    yield Page(name="batches", title="Batches", path="/admin/renders/renderbatch/")
    yield Page(name="jobs", title="Jobs", path="/admin/renders/job/", main=True)
    yield Page(name="job-running", title="A job that renders", path=job.format(running), main=True)
    yield Page(
        name="job-failed",
        title="A job that failed, with ComfyUI's words",
        path=job.format(failed),
        main=True,
        height=1200,
    )
    yield Page(
        name="job-waiting",
        title="A job that waits, why, and what each node says to it",
        path=job.format(waiting),
        main=True,
    )
    yield Page(name="job", title="A job's whole story", path=job.format(clip_job), height=1500)
    yield Page(
        name="job-steered",
        title="A job with a deadline: when and where it may render, and who said so",
        path=job.format(steered),
        main=True,
        height=1500,
    )
    yield Page(
        name="batch-steered",
        title="A batch: when and where, for all its jobs",
        path=f"/admin/renders/renderbatch/{trailer}/change/",
        press="details.sf-panel > summary",
    )
    yield Page(name="limits", title="Limits and their use", path="/admin/renders/limit/")
    yield Page(name="limit", title="A limit", path=f"/admin/renders/limit/{limit}/change/")
    yield Page(name="holds", title="What is paused on the farm", path="/admin/renders/hold/")
    yield Page(
        name="cancel",
        title="Cancel asks first",
        path=f"/admin/renders/renderbatch/{batch}/change/?cancel=ask",
    )
    yield Page(name="takes", title="Takes", path="/admin/review/take/", main=True)
    yield Page(
        name="take", title="A clip in the player", path=f"/admin/review/take/{clip}/change/", main=True
    )
    yield Page(
        name="take-retake",
        title="A keyframe that is asked for again",
        path=f"/admin/review/take/{still}/change/",
    )
    yield Page(name="import", title="Bring a workflow", path="/admin/workflows/workflowimport/add/")
    yield Page(
        name="import-wizard",
        title="What was found in a brought graph",
        path=imported("walk.json"),
        main=True,
        height=1800,
    )
    yield Page(
        name="import-problems",
        title="A brought graph with problems, node by node",
        path=imported("posed.json"),
        main=True,
        height=1400,
    )
    yield Page(
        name="import-refused",
        title="A file that cannot be converted, and why",
        path=imported("broken.json"),
        main=True,
    )
    yield Page(name="imports", title="Brought workflows", path="/admin/workflows/workflowimport/")
    yield Page(
        name="deprecated", title="A version that is deprecated", path=f"{version_of('portrait', 1)}/change/"
    )
    yield Page(
        name="compare",
        title="Two versions, node by node",
        path=f"{version_of('portrait', 1)}/compare/?number=2",
        main=True,
        height=1400,
    )
    yield Page(
        name="recommendation-rules",
        title="Rules of the recommender",
        path="/admin/workflows/recommendationrule/",
        main=True,
    )
    yield Page(
        name="recommendation-rule",
        title="A rule of the recommender",
        path=f"/admin/workflows/recommendationrule/{row(one.format('workflows_recommendationrule'))}/change/",
        main=True,
        height=1300,
    )
    yield Page(name="recipes", title="Recipes", path="/admin/recipes/recipe/", main=True)
    yield Page(
        name="recipe",
        title="A recipe",
        path=f"/admin/recipes/recipe/{row(one.format('recipes_recipe'))}/change/",
        main=True,
        height=1400,
    )
    yield Page(
        name="recipe-start",
        title="Start a recipe for a shot",
        path=f"/admin/productions/shot/{shot}/recipe/",
        main=True,
    )
    yield Page(name="recipe-runs", title="Runs of recipes", path="/admin/recipes/reciperun/")
    yield Page(
        name="models",
        title="Model files, templates and what is proven",
        path="/admin/desk/models/",
        main=True,
    )
    yield Page(
        name="dry-run",
        title="What would be sent, and why",
        path=f"/admin/workflows/workflowtemplateversion/{sd15}/dry-run/?try=1&r-positive=a+sleigh",
    )
    yield Page(name="nodes", title="Nodes", path="/admin/nodes/node/")
    yield Page(name="node", title="A node", path=f"/admin/nodes/node/{node}/change/", main=True, height=1400)
    yield Page(
        name="node-requeue",
        title="Requeue what failed on a node",
        path=f"/admin/nodes/node/{node}/requeue/?hours=24",
    )
    yield Page(name="pools", title="Pools", path="/admin/nodes/pool/")
    yield Page(name="schedules", title="Schedules", path="/admin/nodes/schedule/")
    yield Page(name="blocks", title="Templates kept from nodes", path="/admin/renders/nodeblock/")
    yield Page(name="needs", title="Memory needs, declared and learned", path="/admin/renders/need/")
    yield Page(name="rules", title="Failure rules", path="/admin/renders/failurerule/")
    yield Page(
        name="rules-try",
        title="Which rule fits?",
        path="/admin/renders/failurerule/try/?words=CUDA+out+of+memory&reported=unknown&template=",
    )
    yield Page(name="notices", title="Notices: what I was told", path="/admin/notices/notice/", main=True)
    yield Page(
        name="notice",
        title="A notice",
        path=f"/admin/notices/notice/{row(TOLD)}/change/",
    )
    yield Page(
        name="subscriptions", title="What I am told, and how", path="/admin/notices/subscription/", main=True
    )
    yield Page(
        name="subscription",
        title="A webhook",
        path=f"/admin/notices/subscription/{row(WEBHOOK)}/change/",
        height=1300,
    )
    yield Page(
        name="delivery",
        title="A webhook that nobody answered",
        path=f"/admin/notices/delivery/{row(one.format('notices_delivery'))}/change/",
    )
    yield Page(
        name="review",
        title="A take in the film, between the shots before and after",
        path=f"/admin/review/take/{clip}/context/",
        main=True,
    )
    yield Page(name="playlists", title="Playlists and dailies", path="/admin/review/playlist/")
    yield Page(
        name="history",
        title="What was changed of a shot, by whom",
        path=f"/admin/productions/shot/{shot}/history/",
        main=True,
    )
    yield Page(name="activity", title="Activity of people", path="/admin/ledger/activity/", main=True)
    yield Page(name="bulk-changes", title="Changes of many rows, to undo", path="/admin/ledger/batch/")
    yield Page(name="events", title="Every move of every job and take", path="/admin/common/stateevent/")
    yield Page(name="spreadsheets", title="Spreadsheets", path="/admin/sheets/importbatch/add/", main=True)
    yield Page(name="looks", title="Looks: sets of presets", path="/admin/presets/look/")
    yield Page(name="preset-rules", title="Rules for presets", path="/admin/presets/presetrule/", main=True)
    yield Page(name="automations", title="When … then …", path="/admin/productions/automation/", main=True)
    yield Page(name="episodes", title="Episodes", path="/admin/productions/episode/")
    yield Page(
        name="folders",
        title="Folders of a project: what would be made",
        path=f"/admin/projects/project/{project}/folders/",
        main=True,
    )
    yield Page(
        name="rights", title="Who may do what in a project", path=f"/admin/projects/project/{project}/rights/"
    )
    for name, title, address, table in (
        ("sequence", "sequence", "productions/sequence", "productions_sequence"),
        ("location", "location", "productions/location", "productions_location"),
        ("character", "character", "characters/character", "characters_character"),
        ("preset", "preset", "presets/cinematicpreset", "presets_cinematicpreset"),
        ("category", "preset category", "presets/presetcategory", "presets_presetcategory"),
        ("workflow", "workflow", "workflows/workflowtemplate", "workflows_workflowtemplate"),
        ("project", "project", "projects/project", "projects_project"),
        ("user", "user", "accounts/user", "accounts_user"),
    ):
        plural = {"category": "categories"}.get(name, f"{name}s")
        yield Page(name=plural, title=f"{title.capitalize()}: the list", path=f"/admin/{address}/")
        yield Page(
            name=name,
            title=f"A {title}",
            path=f"/admin/{address}/{row(one.format(table))}/change/",
            main=name in {"character", "project"},
            height=1300,
        )
    version = row(one.format("workflows_workflowtemplateversion"))
    yield Page(
        name="graph",
        title="A workflow's graph",
        path=f"/admin/workflows/workflowtemplateversion/{version}/change/",
    )
    yield Page(name="statuses", title="Shot statuses", path="/admin/productions/shotstatus/")
    yield Page(name="api", title="The API, described and to be tried", path="/api/docs/")
    yield Page(name="404", title="Not found", path="/admin/nothing-here/", status=404)
    yield Page(name="403", title="Not allowed", path="/admin/renders/job/add/", status=403)
