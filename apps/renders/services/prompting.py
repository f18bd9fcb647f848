"""The prompts of a plan: one for each step that takes words, and shot; and what to know of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _

from apps.common.errors import Problem, Refused
from apps.productions.models import Shot
from apps.prompts.facts import ShotFacts
from apps.prompts.models import PromptBuild, Spoken
from apps.prompts.preview import Preview, previews
from apps.prompts.reader import reader_of
from apps.prompts.selectors import House, inputs_for
from apps.prompts.services import build_prompts, compose_prompts
from apps.renders.prompt_warnings import prompt_warnings
from apps.renders.services.casting import cast_of
from apps.renders.services.planned import Plan, PlannedJob
from apps.renders.services.recommending import advice_for
from apps.renders.warnings import Warned, told_once
from apps.workflows.models import WorkflowTemplateVersion
from apps.workflows.selectors import current_version, offered
from apps.workflows.services import remember, template_of

Builds = dict[tuple[int, UUID], PromptBuild]
"""A prompt for each step and shot."""

PromptWarnings = Mapping[tuple[int, UUID], tuple[Warned, ...]]
"""What to know of each."""


@dataclass(frozen=True)
class PromptShown:
    """The prompt of a shot as this template would get it, and what to know before it is rendered."""

    version: WorkflowTemplateVersion
    preview: Preview
    warnings: tuple[Warned, ...]


def prompts_of(planned: Plan, *, keep: bool = True) -> Builds:
    """Compose the prompts of every step that takes one, a constant number of queries per step.

    ``keep`` False writes nothing. Raises Refused for a shot without a word.
    """
    compose = build_prompts if keep else compose_prompts
    builds: Builds = {}
    for step, (version, shots) in _wordy(planned.jobs).items():
        made = compose(shots, reader_of(template_of(version)), facts=planned.facts)
        builds |= {(step, shot_id): build for shot_id, build in made.items()}
    return builds


def warnings_of(planned: Plan, builds: Builds) -> PromptWarnings:
    """What to know of the prompts of a plan, by step and shot: nothing is composed again, but where somebody
    has written by hand."""
    found: dict[tuple[int, UUID], tuple[Warned, ...]] = {}
    for step, (version, shots) in _wordy(planned.jobs).items():
        template = template_of(version)
        by_hand = [shot for shot in shots if builds[step, shot.pk].by_hand]
        looked = previews(by_hand, reader_of(template), facts=planned.facts) if by_hand else {}
        for shot in shots:
            preview = looked.get(shot.pk) or Preview(shot, builds[step, shot.pk], None, ())
            told = prompt_warnings(preview, template.slug)
            found[step, shot.pk] = tuple(told)
    return found


def told_of_prompts(planned: Plan) -> tuple[list[Problem], list[Problem]]:
    """What is wrong with the prompts of a plan, and what to know of them, each once; nothing is written."""
    try:
        found = warnings_of(planned, prompts_of(planned, keep=False))
    except Refused as refused:
        return list(refused.problems), []
    shots = {job.shot.pk: job.shot for job in planned.jobs}
    return [], told_once((shots[shot], one) for (_step, shot), told in found.items() for one in told)


def prompts_shown(planned: Plan, *, most: int) -> list[PromptShown]:
    """Preview the prompts of a plan for its first shots, step by step."""
    first = list(dict.fromkeys(job.shot.pk for job in planned.jobs))[:most]
    jobs = [job for job in planned.jobs if job.shot.pk in first]
    return [
        shown
        for version, shots in _wordy(jobs).values()
        for shown in show_prompts(version, shots, facts=planned.facts).values()
    ]


def show_prompts(
    version: WorkflowTemplateVersion,
    shots: Iterable[Shot],
    *,
    language: str | None = None,
    facts: Mapping[UUID, ShotFacts] | None = None,
    houses: Mapping[UUID, House] | None = None,
    by_hand: bool = True,
) -> dict[UUID, PromptShown]:
    """Preview the prompts of shots as this version would get them, by shot; nothing is written.

    ``language``: en | ko, None for each project's own. ``houses``: project settings to try out.
    ``by_hand`` False: as if nobody had written anything. A constant number of queries. Raises Refused for a
    shot without a word.
    """
    wanted = list(shots)
    template = template_of(version)
    told = facts or inputs_for(wanted)
    found = previews(
        wanted, reader_of(template), language=language, facts=told, houses=houses, by_hand=by_hand
    )
    return {
        key: PromptShown(
            version,
            preview,
            (*cast_of(told[key], template.manifest).warnings, *prompt_warnings(preview, template.slug)),
        )
        for key, preview in found.items()
    }


def version_for(shot: Shot, *, template: str = "", channel: str = Spoken.IMAGE) -> WorkflowTemplateVersion:
    """The version whose prompt is looked at: the template named, else what is recommended or comes first.

    Raises Refused for a template that is not offered, or takes no words.
    """
    if template:
        version = current_version(template)
        if "positive" not in template_of(version).manifest.bindings:
            raise Refused(Problem("template", template, _("this template takes no words"), code="wordless"))
        return version
    offered_here = wordy_versions(channel)
    chosen = advice_for([shot])[shot.pk].chosen
    first = next((one for one in offered_here if one.template.slug == chosen), None)
    if first is None and not offered_here:
        told = _("no template on offer takes words and makes this")
        raise Refused(Problem("channel", channel, told, code="no_template"))
    return first or offered_here[0]


def wordy_versions(channel: str) -> list[WorkflowTemplateVersion]:
    """Every version on offer that takes words for this channel, those first that need no file."""
    versions = []
    for row in offered():
        if row.current is not None:
            row.current.template = row
            versions.append(row.current)
    remember(versions)
    found = [one for one in versions if template_of(one).manifest.produces == channel]
    wordy = [one for one in found if "positive" in template_of(one).manifest.bindings]
    return sorted(wordy, key=_needs_file)


def _needs_file(version: WorkflowTemplateVersion) -> bool:
    manifest = template_of(version).manifest
    return any(role in manifest.file_roles for role in manifest.required_roles)


def _wordy(jobs: Iterable[PlannedJob]) -> dict[int, tuple[WorkflowTemplateVersion, list[Shot]]]:
    """The steps that take words, each with its version and its shots."""
    by_step: dict[int, list[PlannedJob]] = defaultdict(list)
    for item in jobs:
        by_step[item.step].append(item)
    return dict(_with_words(by_step))


def _with_words(
    by_step: Mapping[int, list[PlannedJob]],
) -> Iterator[tuple[int, tuple[WorkflowTemplateVersion, list[Shot]]]]:
    for step, items in by_step.items():
        if "positive" in items[0].manifest.bindings:
            yield step, (items[0].version, list({item.shot.pk: item.shot for item in items}.values()))
