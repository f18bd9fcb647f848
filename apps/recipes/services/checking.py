"""Whether the steps of a recipe fit together: each must be able to take what the one before it makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from django.utils.translation import gettext as _

from apps.common.errors import Problem, Refused
from apps.recipes.spec import MOST_STEPS, Gate, StepSpec
from apps.renders.services.files import SUITING, from_cast
from apps.renders.services.sources import medium_of, medium_taken, role_of
from apps.renders.services.steps import MOST_TAKES
from apps.workflows.selectors import offered
from apps.workflows.services import remember, template_of
from workflows.load import Template

Templates = Mapping[str, Template]


def templates_offered() -> dict[str, Template]:
    """Every template on offer by name, as it would be rendered now. One query; two for new ones."""
    current = {row.slug: row.current for row in offered().order_by("slug") if row.current}
    remember(current.values())
    return {slug: template_of(version) for slug, version in current.items()}


def problems_of(specs: Sequence[StepSpec], templates: Templates) -> list[Problem]:
    """Find everything that is wrong with these steps, each with its place."""
    if not specs:
        return [Problem("steps", "", _("a recipe has at least one step"))]
    if len(specs) > MOST_STEPS:
        return [Problem("steps", str(len(specs)), _("a recipe has at most %d steps") % MOST_STEPS)]
    found: list[Problem] = []
    for place, spec in enumerate(specs):
        found += [
            replace(problem, field=f"steps[{place}].{problem.field}")
            for problem in _wrong_with(specs, place, spec, templates)
        ]
    return found


def require_sound(specs: Sequence[StepSpec], templates: Templates) -> None:
    """Raise Refused with every problem of these steps."""
    if problems := problems_of(specs, templates):
        raise Refused(*problems)


def with_roles(specs: Sequence[StepSpec], templates: Templates) -> list[StepSpec]:
    """The same steps, each saying which input it fills: what fits today is what a run keeps."""
    return [
        replace(spec, role=_role(spec, _made(specs[place - 1], templates) if place else "", templates))
        for place, spec in enumerate(specs)
    ]


def _wrong_with(
    specs: Sequence[StepSpec], place: int, spec: StepSpec, templates: Templates
) -> Iterator[Problem]:
    last = place == len(specs) - 1
    if spec.gate not in Gate.values:
        yield Problem("gate", spec.gate, _("choose one of: %s") % ", ".join(Gate.values))
    elif not 1 <= spec.takes <= MOST_TAKES:
        yield Problem("takes", str(spec.takes), _("give a whole number from 1 to %d") % MOST_TAKES)
    elif spec.takes > 1 and spec.gate == Gate.NONE and not last:
        told = _("a step that goes on by itself makes one take; ask for 1, or wait for an approval")
        yield Problem("takes", str(spec.takes), told, code="needs_gate")
    template = templates.get(spec.template)
    if template is None:
        names = ", ".join(templates) or _("none; run manage.py sync_workflows")
        told = _("is not offered; offered are: %s") % names
        yield Problem("template", spec.template, told, code="unknown_template")
        return
    precisions = template.manifest.precisions
    if spec.precision and spec.precision not in precisions:
        told = _("%(template)s offers %(precisions)s") % {
            "template": spec.template,
            "precisions": ", ".join(precisions) or _("no precisions"),
        }
        yield Problem("precision", spec.precision, told)
    yield from _wrong_input(specs, place, spec, template, templates)


def _wrong_input(
    specs: Sequence[StepSpec], place: int, spec: StepSpec, template: Template, templates: Templates
) -> Iterator[Problem]:
    """The file of the step before must fill an input, and no other file may be missing then."""
    inputs = _file_inputs(template)
    if spec.role and spec.role not in inputs:
        told = _("%(template)s has no such file input; it has: %(inputs)s") % {
            "template": spec.template,
            "inputs": ", ".join(inputs) or _("none"),
        }
        yield Problem("role", spec.role, told, code="unknown_input")
        return
    made = ""
    if place:
        before = specs[place - 1]
        made = _made(before, templates)
        if not made:
            return  # the step before is wrong itself
        if trouble := _cannot_take(spec, template, before.template, made):
            yield trouble
            return
    role = _role(spec, made, templates)
    if trouble := next(_wrong_also(specs, place, role, inputs, templates), None):
        yield trouble
        return
    for other in template.manifest.required_roles:
        given = other == role or other in spec.also
        by_itself = other in SUITING or from_cast(template.manifest, other)  # the shot's material, its cast
        if other in inputs and not given and not by_itself:
            told = _(
                "%(template)s also needs a file for its input “%(input)s”; name the earlier step that makes "
                "it under other inputs"
            )
            told %= {"template": spec.template, "input": other}
            yield Problem("template", spec.template, told, code="needs_more")
            return


def _wrong_also(
    specs: Sequence[StepSpec], place: int, own: str, inputs: Mapping[str, str], templates: Templates
) -> Iterator[Problem]:
    """What is wrong with the other inputs of a step, which earlier steps fill."""
    for role, number in specs[place].also.items():
        names = {"template": specs[place].template, "input": role, "number": number}
        if role not in inputs:
            told = _("%(template)s has no such file input; it has: %(inputs)s")
            yield Problem("also", role, told % (names | {"inputs": ", ".join(inputs) or _("none")}))
        elif role == own:
            told = _("the input “%(input)s” is filled by the step before already")
            yield Problem("also", role, told % names)
        elif not 1 <= number <= place:
            told = _("“%(input)s” is to come from step %(number)s; name a step before this one")
            yield Problem("also", str(number), told % names)
        elif (made := _made(specs[number - 1], templates)) and made != inputs[role]:
            told = _("“%(input)s” takes: %(wanted)s, and step %(number)s makes: %(made)s")
            facts = {"wanted": _medium(inputs[role]), "made": _medium(made)}
            yield Problem("also", role, told % (names | facts))


def _cannot_take(spec: StepSpec, template: Template, before: str, made: str) -> Problem | None:
    inputs = _file_inputs(template)
    names = {"template": spec.template, "before": before, "made": _medium(made)}
    if not inputs:
        told = _(
            "%(template)s starts from no file, so it cannot take the %(made)s that %(before)s makes before it"
        )
        return Problem("template", spec.template, told % names, code="takes_nothing")
    free = [medium for role, medium in inputs.items() if role not in spec.also]
    if not free:
        told = _(
            "other steps fill every file input of %(template)s already, so it cannot take the %(made)s that "
            "%(before)s makes before it; leave one out of the other inputs"
        )
        return Problem("also", ", ".join(spec.also), told % names, code="takes_nothing")
    wanted = {inputs[spec.role]} if spec.role else {*free}
    if made in wanted:
        return None
    told = _("%(template)s starts from: %(wanted)s, and %(before)s before it makes: %(made)s")
    told %= names | {"wanted": ", ".join(_medium(one) for one in sorted(wanted))}
    return Problem("role" if spec.role else "template", spec.role or spec.template, told, code="other_medium")


def _role(spec: StepSpec, made: str, templates: Templates) -> str:
    """The input that is filled: the one named; else the template's own; else the first required that fits."""
    template = templates.get(spec.template)
    if spec.role or template is None:
        return spec.role
    own = role_of(template.manifest)
    inputs = {role: medium for role, medium in _file_inputs(template).items() if role not in spec.also}
    required = [role for role in template.manifest.required_roles if role in inputs]
    if not made:
        return own if own in required else ""
    fitting = [role for role in (*required, own, *inputs) if inputs.get(role) == made]
    return fitting[0] if fitting else ""


def _file_inputs(template: Template) -> dict[str, str]:
    """Inputs that take a file of another take, and what kind of file."""
    return {role: medium_taken(template, role) for role in template.manifest.file_roles}


def _made(spec: StepSpec, templates: Templates) -> str:
    template = templates.get(spec.template)
    return medium_of(template.manifest) if template else ""


def _medium(medium: str) -> str:
    return {"image": _("an image"), "video": _("a video"), "audio": _("a sound")}.get(medium, medium)
