"""Rows for tests: each factory makes the smallest sensible row; say only what the test is about."""

from __future__ import annotations

# mypy: disallow-untyped-calls=False
# factory_boy's declarations carry no annotations.
from typing import Any

from django.utils import timezone
from factory.declarations import LazyAttribute, LazyFunction, SelfAttribute, SubFactory
from factory.declarations import Sequence as Counted
from factory.django import DjangoModelFactory

from apps.accounts.models import User
from apps.characters.models import Character, CharacterLora, Costume
from apps.common.ids import uuid7
from apps.nodes.models import Node
from apps.nodes.states import Observed
from apps.presets.models import Channel, CinematicPreset, PresetCategory
from apps.productions.models import Episode, Location, Sequence, Shot, ShotCharacter, ShotPreset, ShotStatus
from apps.projects.models import Membership, Project
from apps.projects.roles import Role
from apps.projects.stages import Stage
from apps.renders.models import Job, RenderBatch
from apps.renders.services.lanes import assign
from apps.renders.states import JobState
from apps.review.models import Artifact, ArtifactRole, Take
from apps.workflows.models import Kind, WorkflowTemplate, WorkflowTemplateVersion

STAGES = {
    Kind.SLATE: Stage.PREVIZ,
    Kind.KEYFRAME: Stage.KEYFRAME,
    Kind.CLIP: Stage.CLIP,
    Kind.FRAMES: Stage.FINISH,
}
"""What stage a take is of, if it is not made from a clip."""


class UserFactory(DjangoModelFactory[User]):
    """alice1, alice2 …, password "open sesame"."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    username = Counted(lambda n: f"alice{n}")
    email = LazyAttribute(lambda user: f"{user.username}@example.org")

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        kwargs.setdefault("password", "open sesame")
        return model_class.objects.create_user(*args, **kwargs)


class ProjectFactory(DjangoModelFactory[Project]):
    """A film at 24 fps with English prompts."""

    class Meta:
        model = Project

    code = Counted(lambda n: f"FILM{n}")
    name = LazyAttribute(lambda project: f"The film {project.code}")


class MembershipFactory(DjangoModelFactory[Membership]):
    """Someone who may render in a project."""

    class Meta:
        model = Membership

    project = SubFactory(ProjectFactory)
    user = SubFactory(UserFactory)
    role = Role.COORDINATOR


def members_of(project: Project) -> dict[str, User]:
    """Staff by their role's name, one for each; "viewer", an artist without shots, changes nothing."""
    roles = {str(role): role for role in Role} | {"viewer": Role.ARTIST}
    return {
        name: MembershipFactory.create(
            project=project, role=role, user=UserFactory.create(username=name, is_staff=True)
        ).user
        for name, role in roles.items()
    }


class EpisodeFactory(DjangoModelFactory[Episode]):
    """EP01, EP02 …"""

    class Meta:
        model = Episode

    project = SubFactory(ProjectFactory)
    code = Counted(lambda n: f"EP{n + 1:02}")
    name = LazyAttribute(lambda episode: f"Episode {episode.code}")
    order = Counted(lambda n: n)


class SequenceFactory(DjangoModelFactory[Sequence]):
    """SQ010, SQ020 …"""

    class Meta:
        model = Sequence

    project = SubFactory(ProjectFactory)
    code = Counted(lambda n: f"SQ{(n + 1) * 10:03}")
    name = LazyAttribute(lambda sequence: f"Sequence {sequence.code}")
    order = Counted(lambda n: n)


class LocationFactory(DjangoModelFactory[Location]):
    """A place with prompt text in both languages."""

    class Meta:
        model = Location

    project = SubFactory(ProjectFactory)
    code = Counted(lambda n: f"LOC{n:02}")
    name = "Frozen harbour"
    name_ko = "얼어붙은 항구"
    prompt = "a frozen harbour with tall ships locked in the ice"
    prompt_ko = "얼음에 갇힌 범선들이 서 있는 항구"


class ShotStatusFactory(DjangoModelFactory[ShotStatus]):
    """The row of one shot status; the seeded one where the migration made it."""

    class Meta:
        model = ShotStatus
        django_get_or_create = ("slug",)

    slug = "draft"
    name = LazyAttribute(lambda status: status.slug.replace("_", " "))
    order = 0


class ShotFactory(DjangoModelFactory[Shot]):
    """SH0010, SH0020 … of a sequence: two seconds, in the sequence's project, no cast, no presets."""

    class Meta:
        model = Shot

    sequence = SubFactory(SequenceFactory)
    project = SelfAttribute("sequence.project")
    code = Counted(lambda n: f"SH{(n + 1) * 10:04}")
    order = Counted(lambda n: n)
    status = SubFactory(ShotStatusFactory)
    description = "A girl walks along the quay"
    description_ko = "한 소녀가 부두를 따라 걷는다"
    frames = 48


class CharacterFactory(DjangoModelFactory[Character]):
    """CH0001 Gerda … without a costume and without LoRAs."""

    class Meta:
        model = Character

    project = SubFactory(ProjectFactory)
    code = Counted(lambda n: f"CH{n + 1:04}")
    name = "Gerda"
    name_ko = "게르다"
    description = "a girl of twelve with braided blonde hair"
    description_ko = "금발을 땋은 열두 살 소녀"


class CostumeFactory(DjangoModelFactory[Costume]):
    """A costume of a character; not worn until a casting or ``default_costume`` says so."""

    class Meta:
        model = Costume

    character = SubFactory(CharacterFactory)
    name = Counted(lambda n: f"Costume {n}")
    prompt = "a red wool coat"
    prompt_ko = "빨간 모직 코트"


class CharacterLoraFactory(DjangoModelFactory[CharacterLora]):
    """A FLUX LoRA; used only when the character says ``use_lora``."""

    class Meta:
        model = CharacterLora

    character = SubFactory(CharacterFactory, use_lora=True)
    base_model = "flux"
    file = Counted(lambda n: f"characters/gerda_v{n}.safetensors")
    weight = 0.8
    trigger_words = ["gerda_v2"]


class ShotCharacterFactory(DjangoModelFactory[ShotCharacter]):
    """Casting: a character of the shot's project, standing there."""

    class Meta:
        model = ShotCharacter

    shot = SubFactory(ShotFactory)
    character = SubFactory(CharacterFactory, project=SelfAttribute("..shot.project"))
    order = Counted(lambda n: n)
    action = "looks out over the ice"
    action_ko = "얼음 너머를 바라본다"


class PresetCategoryFactory(DjangoModelFactory[PresetCategory]):
    """A category; an existing slug (such as a seeded "shot_size") gives that row."""

    class Meta:
        model = PresetCategory
        django_get_or_create = ("slug",)

    slug = "test_category"
    name = "Test category"
    order = 900


class CinematicPresetFactory(DjangoModelFactory[CinematicPreset]):
    """A preset for both channels. The 171 seeded rows are there beside it."""

    class Meta:
        model = CinematicPreset

    category = SubFactory(PresetCategoryFactory)
    slug = Counted(lambda n: f"test-preset-{n}")
    name = LazyAttribute(lambda preset: preset.slug.replace("-", " ").capitalize())
    channel = Channel.BOTH
    order = Counted(lambda n: 1000 + n)
    prompt_fragment = LazyAttribute(lambda preset: f"look of {preset.slug}")


class ShotPresetFactory(DjangoModelFactory[ShotPreset]):
    """A preset used by a shot."""

    class Meta:
        model = ShotPreset

    shot = SubFactory(ShotFactory)
    preset = SubFactory(CinematicPresetFactory)
    order = Counted(lambda n: n)


class WorkflowTemplateFactory(DjangoModelFactory[WorkflowTemplate]):
    """A template by slug; an existing slug gives that row."""

    class Meta:
        model = WorkflowTemplate
        django_get_or_create = ("slug",)

    slug = "test_t2i"
    title = LazyAttribute(lambda template: template.slug)
    kind = Kind.KEYFRAME


class WorkflowTemplateVersionFactory(DjangoModelFactory[WorkflowTemplateVersion]):
    """A version with a graph that only rows need. To bind and render, use sync_templates() instead."""

    class Meta:
        model = WorkflowTemplateVersion

    template = SubFactory(WorkflowTemplateFactory)
    number = Counted(lambda n: n + 1)
    content_hash = Counted(lambda n: f"{n:064x}")
    graph = LazyFunction(dict)
    manifest = LazyAttribute(lambda version: {"manifest": 1, "slug": version.template.slug})


class NodeFactory(DjangoModelFactory[Node]):
    """An idle 24 GB node that has just reported; it lists no node classes and no models."""

    class Meta:
        model = Node

    name = Counted(lambda n: f"gpu{n:02}")
    epoch = Counted(lambda n: f"life-{n}")
    observed = Observed.IDLE
    tier_gb = 24
    reported_at = LazyFunction(timezone.now)


class BatchFactory(DjangoModelFactory[RenderBatch]):
    """A batch without jobs."""

    class Meta:
        model = RenderBatch

    project = SubFactory(ProjectFactory)
    code = Counted(lambda n: f"BX{n:05}")
    idempotency_key = Counted(lambda n: f"key-{n}")
    request_hash = "0" * 64


class JobFactory(DjangoModelFactory[Job]):
    """A keyframe job that is ready, in a batch of its shot's project. No event tells of its birth."""

    class Meta:
        model = Job

    shot = SubFactory(ShotFactory)
    project = SelfAttribute("shot.project")
    batch = SubFactory(BatchFactory, project=SelfAttribute("..project"))
    template_version = SubFactory(WorkflowTemplateVersionFactory)
    code = Counted(lambda n: f"JX{n:06}")
    kind = Kind.KEYFRAME
    stage = LazyAttribute(lambda job: STAGES[job.kind])
    take_number = Counted(lambda n: n + 501)  # out of the way of those that a press of Render counts
    state = JobState.READY
    width = 1024
    height = 576
    seed = 7
    need_gb = 12.0
    tier_gb = 12
    ready_at = LazyFunction(timezone.now)

    @classmethod
    def _create(cls, model_class: type[Job], *args: Any, **kwargs: Any) -> Job:
        job = model_class(**kwargs)
        assign([job])
        job.save()
        return job


class TakeFactory(DjangoModelFactory[Take]):
    """A keyframe take whose media is still to be looked at. It has no file; say ArtifactFactory."""

    class Meta:
        model = Take

    shot = SubFactory(ShotFactory)
    project = SelfAttribute("shot.project")
    job_id = LazyFunction(uuid7)
    attempt_id = LazyFunction(uuid7)
    kind = Kind.KEYFRAME
    stage = LazyAttribute(lambda take: STAGES[take.kind])
    number = Counted(lambda n: n + 1)
    template = "test_t2i v1"
    seed = 7
    node = "gpu00"
    render_seconds = 1.5


class ArtifactFactory(DjangoModelFactory[Artifact]):
    """A row about an original picture. The file itself is not written."""

    class Meta:
        model = Artifact

    take = SubFactory(TakeFactory)
    role = ArtifactRole.PRIMARY
    key = LazyAttribute(lambda artifact: f"attempts/FILM/{artifact.take.attempt_id}/picture.png")
    kind = "image"
    media_type = "image/png"
    bytes = 1
    sha256 = "0" * 64
    width = 64
    height = 36
