"""Two films in one database. Whatever belongs to the other one carries the canary in every text it has."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from io import BytesIO
from typing import Any, Final

from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.models import Model
from django.utils import timezone

from apps.accounts.models import User
from apps.characters.models import Character, CharacterLora, CharacterReference, Costume
from apps.common.ids import uuid7
from apps.common.machines import record_event
from apps.common.models import StateEvent
from apps.folders.models import Mount, PathTemplate, Publication, System
from apps.keeping.models import ProjectArchive
from apps.ledger.models import Activity
from apps.ledger.models import Batch as ChangeBatch
from apps.materials.models import Material
from apps.nodes.models import Node, Pool, Schedule
from apps.nodes.software import software_of
from apps.nodes.states import Health
from apps.notices.kinds import Kind
from apps.notices.models import Delivery, DeliveryState, DeliveryTry, Notice, Road, Subscription
from apps.presets.models import CinematicPreset, Look, PresetCategory, PresetOverride, PresetRule
from apps.productions.models import Automation, Shot, ShotStatus
from apps.productions.states import SHOT
from apps.projects.models import Membership, Project
from apps.projects.roles import Role
from apps.prompts.reader import Reader
from apps.prompts.services import build_prompt
from apps.recipes.models import Recipe, RecipeRun, RunJob, RunStep
from apps.recipes.services.editing import write_steps
from apps.recipes.spec import Gate, StepSpec, as_json
from apps.renders.models import Attempt, FailureRule, Hold, Job, Limit, Need, NodeBlock, Proof, RenderBatch
from apps.renders.states import BlockState, JobState
from apps.review.models import Artifact, ClientLink, Playlist, PlaylistItem, ReviewNote, Take
from apps.sheets.models import ImportBatch, ImportRow
from apps.workflows.catalogues import RECORDED
from apps.workflows.models import (
    RecommendationRule,
    WorkflowImport,
    WorkflowTemplate,
    WorkflowTemplateVersion,
)
from apps.workflows.services.importing import import_file
from farm.contracts import Capabilities, ComfyFact
from tests.factories import (
    CharacterLoraFactory,
    JobFactory,
    MembershipFactory,
    SequenceFactory,
    ShotFactory,
    UserFactory,
)
from tests.integration.admin.rows import everything_of
from workflows.conforming import Conform, Length
from workflows.load import load

CANARY: Final = b"zqxjvk"
"""Stands in every text of the other film and in nothing else (case does not count)."""
CONTENT: Final = b"a picture of the film"
NIGHTS: Final = [{"days": [0, 1, 2, 3, 4], "from": "19:00", "to": "08:00"}]
SECRET_CONTENT: Final = b"zqxjvk: a picture of the other film"

PEOPLE: Final = (
    "anonymous",
    "visitor",
    "outsider",
    "client",
    "viewer",
    "artist",
    "elsewhere",
    "supervisor",
    "coordinator",
    "admin",
    "superuser",
)
"""Nobody; somebody who is logged in and no more; staff without a project; the roles; root.

Of the artists the shot is assigned to one, the viewer has none; of the supervisors one signs off what is made
here, the department of the other makes what comes elsewhere."""
DEPARTMENTS: Final = {"supervisor": ["keyframe"], "elsewhere": ["finish"]}


@dataclass(frozen=True)
class World:
    """Rows of the own film, of the other film, and of what all films share, by name; and everybody."""

    own: dict[str, Any]
    other: dict[str, Any]
    people: dict[str, User]


def build() -> World:
    """Make both films with a row of everything, and everybody who may come. Needs the packaged templates."""
    recipe = _recipe()
    own = _film("FROST", recipe)
    other = _film("ZQXJVKFILM", recipe)
    _mark(other)
    for film in (own, other):  # a build is never changed: it is made once the other film is marked
        film["prompt"] = build_prompt(Shot.objects.get(pk=film["shot"].pk), Reader("image"))
    people = {who: _member(own["project"], role, who) for who, role in MEMBERS.items()}
    own["shot"].assignees.add(people["artist"])
    people["visitor"] = UserFactory.create(username="visitor")
    people["outsider"] = UserFactory.create(username="outsider", is_staff=True)
    people["superuser"] = UserFactory.create(username="superuser", is_staff=True, is_superuser=True)
    stranger = MembershipFactory.create(project=other["project"], role=Role.ADMIN).user
    own["membership"] = Membership.objects.get(user=people["viewer"])
    other["membership"] = MembershipFactory.create(project=other["project"], role=Role.ARTIST)
    # A notice is one person's: of the own film root's, who else may do everything; of the other a stranger's.
    own |= _notices(own, people["superuser"])
    other |= _notices(other, stranger)
    own |= _looked_at(own, people["superuser"])
    other |= _looked_at(other, people["superuser"])
    shared = {
        "shot_type": ContentType.objects.get_for_model(Shot).pk,
        "workflowtemplate": WorkflowTemplate.objects.get(slug="sd15_t2i"),
        "workflowtemplateversion": WorkflowTemplateVersion.objects.filter(template__slug="sd15_t2i").first(),
        "presetcategory": PresetCategory.objects.filter(project=None).first(),
        "cinematicpreset": CinematicPreset.objects.filter(project=None).first(),
        "look": Look.objects.filter(project=None).first(),
        "presetrule": PresetRule.objects.filter(project=None).first(),
        "shotstatus": ShotStatus.objects.first(),
        "recipe": recipe,
        **_of_the_farm(),
        "recommendationrule": _rule(),
        "failurerule": FailureRule.objects.first(),
        "need": Need.objects.first(),
        "hold": Hold.objects.create(scope="24", by="superuser"),
        "limit": _limit(),
        "workflowimport": _import(),
        "pathtemplate": PathTemplate.objects.get(slug="studio"),
        "mount": Mount.objects.create(system=System.LINUX, root="/mnt/farm"),
    }
    return World(
        own=own | shared | {"user": people["viewer"]},
        other=other | shared | {"user": stranger},
        people=people,
    )


MEMBERS: Final = {str(role): role for role in Role} | {"viewer": Role.ARTIST, "elsewhere": Role.SUPERVISOR}


def _member(project: Project, role: Role, name: str) -> User:
    """Somebody with a role in the film, who may sign in."""
    user = UserFactory.create(username=name, is_staff=True)
    MembershipFactory.create(project=project, role=role, user=user, departments=DEPARTMENTS.get(name, []))
    return user


def _looked_at(film: dict[str, Any], author: User) -> dict[str, Any]:
    """A playlist that clients see, a link to it, and a note of root's that clients read."""
    word = "zqxjvk" if film["project"].code.startswith("ZQXJVK") else "monday"
    playlist = Playlist.objects.create(project=film["project"], name=word, description=word, for_clients=True)
    PlaylistItem.objects.create(playlist=playlist, take=film["take"], position=10)
    link = ClientLink.objects.create(
        playlist=playlist, label=word, expires_at=timezone.now() + timedelta(days=1)
    )
    note = ReviewNote.objects.create(
        project=film["project"],
        take=film["take"],
        stage=film["take"].stage,
        text=word,
        visibility="client",
        author=word,
        user=author,
    )
    return {"playlist": playlist, "link": link, "note": note}


def _of_the_farm() -> dict[str, Any]:
    """A pool, a schedule, a blocked pair and a golden render; the node has something for every button."""
    pool, schedule = Pool.objects.create(name="day"), Schedule.objects.create(name="nights", windows=NIGHTS)
    software = software_of(ComfyFact(reachable=True, version="0.8.0"), Capabilities(classes=(), models={}))
    Node.objects.update(
        health=Health.SICK, software=software, software_mark="now", baseline_mark="then", schedule=schedule
    )
    block = NodeBlock.objects.create(
        node=Node.objects.get(),
        template=WorkflowTemplate.objects.get(slug="sd15_t2i"),
        state=BlockState.BLOCKED,
        failures=3,
        until=timezone.now(),
    )
    spare = Schedule.objects.create(name="weekends", windows=NIGHTS)
    proof = Proof.objects.create(
        node=Node.objects.get(),
        version=WorkflowTemplateVersion.objects.get(template__slug="sd15_t2i"),
        asked_by="superuser",
    )
    return {"pool": pool, "schedule": spare, "nodeblock": block, "proof": proof}


def _rule() -> RecommendationRule:
    """One that no release brought: it may be deleted."""
    return RecommendationRule.objects.create(
        slug="dreams", name="Dreams", keywords="dream", template="sd15_t2i", reason="Dreams are drawn"
    )


def _limit() -> Limit:
    limit = Limit.objects.create(name="licence", most=3)
    limit.templates.add(WorkflowTemplate.objects.get(slug="sd15_t2i"))
    return limit


def _recipe() -> Recipe:
    """A keyframe, and a clip from the approved one."""
    recipe = Recipe.objects.create(slug="draft", title="Draft")
    steps = (StepSpec(template="sd15_t2i", gate=Gate.APPROVAL), StepSpec(template="wan22_i2v"))
    write_steps(recipe, steps)
    return recipe


def _run(recipe: Recipe, shot: Shot, take: Take) -> RecipeRun:
    """The recipe was started on the shot: its keyframe failed, and the shot has a take to go on with."""
    version = WorkflowTemplate.objects.get(slug="sd15_t2i").current
    job = JobFactory.create(shot=shot, state=JobState.FAILED, template_version=version)
    run = RecipeRun.objects.create(
        project=shot.project,
        recipe=recipe,
        code=f"R-{shot.project.code}",
        idempotency_key="k",
        request_hash="0" * 64,
        steps=as_json(recipe.specs),
    )
    first, _second = (RunStep.objects.create(run=run, shot=shot, position=place) for place in range(2))
    RunJob.objects.create(cell=first, job=job)
    Take.objects.filter(pk=take.pk).update(media_state="ready")
    return run


def _import() -> WorkflowImport:
    """A draft made of a shipped graph."""
    file = BytesIO(json.dumps(load("sd15_t2i").graph).encode())
    root = User(username="bringer", is_superuser=True)
    root.save()
    return import_file(file, name="brought.json", catalogue_name=RECORDED, user=root).row


def _film(code: str, recipe: Recipe) -> dict[str, Any]:
    shot = ShotFactory.create(sequence=SequenceFactory.create(project__code=code), status_id="ready")
    rows = everything_of(shot)
    lora = CharacterLoraFactory.create(character=rows["character"])
    failed = JobFactory.create(shot=shot, batch=rows["batch"], state=JobState.FAILED)
    record_event(SHOT, shot.pk, to="ready", actor="somebody", reason="planned")
    Take.objects.filter(pk=rows["take"].pk).update(
        length=Conform(Length(4, Fraction(24)), 9, Fraction(16)).as_json()
    )
    # made with a version that ships, so that it can be rendered again
    shipped = WorkflowTemplateVersion.objects.get(template__slug="sd15_t2i")
    Job.objects.filter(pk=rows["job"].pk).update(template_version=shipped)
    rows["job"].refresh_from_db()
    content = CONTENT if code == "FROST" else SECRET_CONTENT
    artifact = Artifact.objects.filter(take=rows["take"]).first()
    assert artifact is not None
    reference = CharacterReference.objects.create(
        character=rows["character"],
        title="face",
        key=f"characters/{code}/face.png",
        media_type="image/png",
        sha256="1" * 64,
        bytes=len(content),
        width=8,
        height=8,
    )
    material = Material.objects.create(
        project=shot.project,
        shot=shot,
        kind="mask",
        name="mask.png",
        key=f"materials/{code}/mask.png",
        media_type="image/png",
        medium="image",
        sha256="2" * 64,
        bytes=len(content),
        width=8,
        height=8,
        state="ready",
    )
    for row in (artifact, reference, material):
        default_storage.save(row.key, ContentFile(content))
    event = StateEvent.objects.filter(story=rows["job"].pk).first()
    told = Automation.objects.create(
        project=shot.project, name=f"tell of {code}", trigger="take_approved", deed="notify"
    )
    return rows | {
        "presetoverride": _library(shot.project),
        "reciperun": _run(recipe, shot, rows["take"]),
        "renderbatch": rows["batch"],
        "lora": lora,
        "failed": failed,
        "artifact": artifact,
        "reference": reference,
        "material": material,
        "importbatch": _sheet(shot),
        "projectarchive": _archive(shot.project),
        "stateevent": event,
        "publication": _published(rows["take"]),
        "automation": told,
        **_changed(shot),
    }


def _changed(shot: Shot) -> dict[str, Any]:
    """A bulk change of one shot, which says what it said before."""
    project = shot.project_id
    bulk = ChangeBatch.objects.create(project=project, actor="somebody", verb="changed", title="notes")
    row, _last = (
        Activity.objects.create(
            project=project,
            batch=batch,
            actor="somebody",
            verb="changed",
            kind="shot",
            object_id=str(shot.pk),
            label=shot.full_code,
            changes={"notes": notes},
        )
        for batch, notes in ((None, ["", "before"]), (bulk, ["before", shot.notes]))
    )
    return {"bulk": bulk, "activity": row}


def _published(take: Take) -> Publication:
    """Another file of a take, at its path."""
    path = f"{take.project.code}/take.png"
    return Publication.objects.create(
        project=take.project,
        shot=take.shot,
        take=take,
        artifact_id=uuid7(),
        source_key="take.png",
        template=PathTemplate.objects.get(slug="studio"),
        stage=take.stage,
        version=1,
        path=path,
        path_key=path.lower(),
        bytes=1,
        sha256="3" * 64,
        state="published",
    )


def _archive(project: Project) -> ProjectArchive:
    """An archive of the film that can be fetched."""
    key = f"archives/{project.code}/whole.zip"
    default_storage.save(key, ContentFile(b"PK"))
    now = timezone.now()
    return ProjectArchive.objects.create(
        project=project,
        state="ready",
        asked_at=now,
        key=key,
        bytes=2,
        sha256="4" * 64,
        finished_at=now,
        expires_at=now + timedelta(days=7),
    )


def _sheet(shot: Shot) -> ImportBatch:
    """A shot list that was brought and looked at: it would change the shot's length."""
    content = f"sequence,code,frames\n{shot.sequence.code},{shot.code},49\n".encode()
    batch = ImportBatch.objects.create(
        project=shot.project,
        file_name="shots.csv",
        sha256="3" * 64,
        bytes=len(content),
        key=f"sheets/{shot.project.code}/shots.csv",
        format="csv",
        kind="Shots",
        tables=[
            {
                "name": "shots",
                "keys": ["sequence", "code", "frames"],
                "headings": ["sequence", "code", "frames"],
                "samples": [shot.sequence.code, shot.code, "49"],
                "rows": 1,
            }
        ],
        mapping={"shots": {"sheet": "Shots", "columns": ["sequence", "code", "frames"]}},
        state="planned",
        total=1,
        counts={"changed": 1, "rows": 1},
    )
    ImportRow.objects.create(
        batch=batch,
        position=0,
        sheet="shots",
        row=2,
        what=f"{shot.sequence.code} {shot.code}",
        outcome="changed",
        cells=[["frames", "changed", str(shot.frames), "49", ""]],
        versions={str(shot.pk): shot.row_version},
    )
    default_storage.save(batch.key, ContentFile(content))
    return batch


def _notices(film: dict[str, Any], reader: User) -> dict[str, Any]:
    """A notice in somebody's inbox, and a channel of the film with what was delivered there."""
    project, batch = film["project"], film["batch"]
    mine = Subscription.objects.create(owner=reader, kinds=[Kind.BATCH_DONE])
    channel = Subscription.objects.create(
        name=batch.note or "#renders",
        project=project,
        kinds=[Kind.BATCH_DONE],
        road=Road.WEBHOOK,
        url=f"https://hooks.example/{project.code}",
    )
    item = {"batch": str(batch.pk), "code": batch.code, "note": batch.note, "jobs": 1}
    item["by_state"] = {JobState.SUCCEEDED: 1}
    told = {
        "project": project,
        "kind": Kind.BATCH_DONE,
        "about": batch.pk,
        "code": batch.code,
        "items": [item],
        "open": False,
        "first_at": timezone.now(),
        "last_at": timezone.now(),
    }
    notice = Notice.objects.create(subscription=mine, recipient=reader, **told)
    delivery = Delivery.objects.create(
        subscription=channel,
        notice=Notice.objects.create(subscription=channel, **told),
        state=DeliveryState.GIVEN_UP,
        tries=8,
        reason=f"{batch.note} is not there",
    )
    DeliveryTry.objects.create(
        delivery=delivery, at=timezone.now(), ok=False, milliseconds=3, answer=batch.note, error=batch.note
    )
    return {"notice": notice, "subscription": channel, "delivery": delivery}


def _library(project: Project) -> PresetOverride:
    """A film's own category, preset, look and rule, and what it says instead of the studio."""
    said, key = f"said in {project.code}", project.code.lower()
    texts = {"prompt_fragment": said, "negative_fragment_ko": said}
    category = PresetCategory.objects.create(project=project, slug=key, name=said, order=90)
    preset = CinematicPreset.objects.create(
        project=project, category=category, slug=key, name=said, order=1, **texts
    )
    look = Look.objects.create(project=project, slug=key, name=said, description=said)
    look.look_presets.create(preset=preset)
    PresetRule.objects.create(
        project=project, slug=key, when="kind:image", other="kind:image", message=said, message_ko=said
    )
    studios = CinematicPreset.objects.get(project=None, slug="tense")
    return PresetOverride.objects.create(project=project, preset=studios, **texts)


def _mark(film: dict[str, Any]) -> None:
    """Write the canary into every text of a film."""
    project = film["project"]
    shot = film["shot"]
    _say(Project.objects.filter(pk=project.pk), "name", "name_ko", "description")
    _say(type(film["sequence"]).objects.filter(pk=film["sequence"].pk), "code", "name", "name_ko")
    _say(Shot.objects.filter(pk=shot.pk), "code", "description", "description_ko")
    _say(type(film["episode"]).objects.filter(pk=film["episode"].pk), "code", "name", "name_ko")
    location = type(film["location"]).objects.filter(pk=film["location"].pk)
    _say(location, "code", "name", "name_ko", "prompt", "prompt_ko")
    character = Character.objects.filter(pk=film["character"].pk)
    _say(character, "code", "name", "name_ko", "description", "description_ko", "negative")
    _say(Costume.objects.filter(character=film["character"]), "name", "prompt", "prompt_ko")
    _say(CharacterLora.objects.filter(character=film["character"]), "file", "base_model")
    _say(CharacterReference.objects.filter(pk=film["reference"].pk), "title")
    _say(Material.objects.filter(pk=film["material"].pk), "name")
    _say(ImportBatch.objects.filter(pk=film["importbatch"].pk), "file_name", "kind")
    _say(ImportRow.objects.filter(batch=film["importbatch"]), "sheet", "what")
    _say(Automation.objects.filter(pk=film["automation"].pk), "name", "name_ko")
    _say(RenderBatch.objects.filter(pk=film["batch"].pk), "code", "note")
    _say(RecipeRun.objects.filter(pk=film["reciperun"].pk), "code", "note")
    _say(Job.objects.filter(pk=film["job"].pk), "code", "failure_message", "doing")
    Job.objects.filter(pk=film["failed"].pk).update(code="ZQXJVK-FAIL", failure_message="zqxjvk failed")
    _say(Attempt.objects.filter(job=film["job"]), "failure_message")
    Attempt.objects.filter(job=film["job"]).update(report={"failure": {"detail": "zqxjvk trace"}})
    _say(Take.objects.filter(pk=film["take"].pk), "template", "node", "media_error")
    published = Publication.objects.filter(pk=film["publication"].pk)
    _say(published, "path", "path_key", "problem", "asked_by", "source_key")
    _say(ChangeBatch.objects.filter(pk=film["bulk"].pk), "title")
    Activity.objects.filter(object_id=str(shot.pk)).update(label="ZQXJVKlabel")
    stories = StateEvent.objects.filter(story__in=(film["job"].pk, shot.pk))
    stories.update(actor="zqxjvk actor", reason="zqxjvk reason")
    for row in film.values():
        if isinstance(row, Model):
            row.refresh_from_db()


def _say(rows: Any, *fields: str) -> None:
    assert rows.count() == 1, rows.model
    rows.update(**{field: f"ZQXJVK{field}"[:12] for field in fields})
