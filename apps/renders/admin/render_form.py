"""The form behind Render: a picture, a clip, or a keyframe and then a clip from it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.common.show import spoken
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.renders.admin.fields import MomentField, WordsField, choice, nodes, pools, set_choices
from apps.renders.admin.file_fields import ROWS, FilesForm
from apps.renders.models import Priority
from apps.renders.services.envelope import Envelope
from apps.renders.services.steps import MAX_SEED, MOST_TAKES, Step
from apps.workflows.models import Kind, WorkflowTemplate
from apps.workflows.selectors import offered
from apps.workflows.services import remember, template_of
from farm.tiers import tier_for_need

_STEP = re.compile(r"steps\[(?P<index>\d+)\]\.(?P<field>[\w.]+)")
PICTURES = (Kind.KEYFRAME, Kind.SLATE)
CLIPS = (Kind.CLIP, Kind.FRAMES)


@dataclass(frozen=True)
class Offer:
    """A template as the page lists it: its default size and what its precisions need."""

    slug: str
    title: str
    kind: str
    size: str
    needs: list[str]


def offer_of(template: WorkflowTemplate) -> Offer:
    """Read from a template's manifest what a coordinator chooses by."""
    if template.current is None:
        raise ValueError(f"the template {template.slug} has no current version and is not offered")
    manifest = template_of(template.current).manifest
    needs = [
        _("%(precision)s: up to %(gb)g GB (tier %(tier)s)")
        % {"precision": precision, "gb": most, "tier": tier_for_need(most) or _("none")}
        for precision in manifest.precisions
        for most in [max(row.gb for row in manifest.vram if row.precision == precision)]
    ]
    return Offer(
        slug=template.slug,
        title=spoken(template, "title"),
        kind=template.get_kind_display(),
        size=f"{manifest.defaults.get('width', '–')} × {manifest.defaults.get('height', '–')}",
        needs=needs or [_("no VRAM")],
    )


def _asks_for_more(template: WorkflowTemplate) -> tuple[bool, bool]:
    """What is chosen at first: a keyframe that can be rendered of any shot, else what comes nearest to it."""
    if template.current is None:
        raise ValueError(f"the template {template.slug} has no current version and is not offered")
    manifest = template_of(template.current).manifest
    needs_file = any(role in manifest.file_roles for role in manifest.required_roles)
    return template.kind != Kind.KEYFRAME, needs_file


def _number(
    label: Any, *, low: int, high: int, placeholder: Any = "", help_text: Any = ""
) -> forms.IntegerField:
    widget = UnfoldAdminIntegerFieldWidget(attrs={"placeholder": placeholder, "min": low, "max": high})
    return forms.IntegerField(
        label=label, min_value=low, max_value=high, required=False, widget=widget, help_text=help_text
    )


class HowForm(forms.Form):
    """How urgent, when, where and after what the jobs of some shots render."""

    shots = forms.CharField(widget=forms.HiddenInput)
    key = forms.CharField(max_length=100, widget=forms.HiddenInput)

    priority = forms.TypedChoiceField(
        label=gettext_lazy("priority"),
        coerce=int,
        choices=Priority.choices,
        initial=Priority.NORMAL,
        widget=UnfoldAdminSelectWidget(),
    )
    note = forms.CharField(
        label=gettext_lazy("note"), max_length=200, required=False, widget=UnfoldAdminTextInputWidget()
    )

    start_after = MomentField(gettext_lazy("start after"))
    deadline = MomentField(gettext_lazy("deadline"))
    pool = choice(gettext_lazy("pool"))
    pinned_to = choice(gettext_lazy("only on node"))
    tags = WordsField(gettext_lazy("tags"), placeholder=gettext_lazy("words a node must have"))
    after = WordsField(gettext_lazy("after jobs"), placeholder="J000012 J000013")
    paused = forms.BooleanField(
        label=gettext_lazy("paused until somebody resumes it"),
        required=False,
        widget=forms.CheckboxInput,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_choices(self.fields["pool"], [("", _("any")), *pools()])
        set_choices(self.fields["pinned_to"], [("", _("any")), *nodes()])

    def envelope(self) -> Envelope:
        """How urgent, when, where, after what."""
        data = self.cleaned_data
        return Envelope(
            priority=data["priority"],
            note=data["note"],
            start_after=data["start_after"],
            deadline=data["deadline"],
            pool=data["pool"],
            tags=data["tags"],
            pinned_to=data["pinned_to"],
            paused=data["paused"],
            after=data["after"],
        )

    def mistakes(self) -> list[tuple[str, list[str]]]:
        """What is wrong with the fields, each by the label people read."""
        return [(self.name_of(name), list(map(str, told))) for name, told in self.errors.items()]

    def name_of(self, field: str) -> str:
        """Name a field in the words of this form; what it does not know stays as it is."""
        return str(self.fields[field].label) if field in self.fields else field


class RenderForm(FilesForm, HowForm):
    """Empty numbers mean the template's own value (frames: the shot's length; seed: the shot's)."""

    picture = choice(gettext_lazy("Picture"))
    picture_width = _number(
        gettext_lazy("width (px)"), low=16, high=8192, placeholder=gettext_lazy("template's")
    )
    picture_height = _number(
        gettext_lazy("height (px)"), low=16, high=8192, placeholder=gettext_lazy("template's")
    )
    picture_precision = choice(gettext_lazy("precision"))

    clip = choice(gettext_lazy("Clip"))
    clip_width = _number(
        gettext_lazy("width (px)"), low=16, high=8192, placeholder=gettext_lazy("template's")
    )
    clip_height = _number(
        gettext_lazy("height (px)"), low=16, high=8192, placeholder=gettext_lazy("template's")
    )
    clip_precision = choice(gettext_lazy("precision"))
    frames = _number(
        gettext_lazy("frames"), low=1, high=100_000, placeholder=gettext_lazy("the shot's length")
    )

    takes = forms.IntegerField(
        label=gettext_lazy("takes"),
        min_value=1,
        max_value=MOST_TAKES,
        initial=1,
        widget=UnfoldAdminIntegerFieldWidget(attrs={"min": 1, "max": MOST_TAKES}),
    )
    seed = _number(
        gettext_lazy("seed"), low=0, high=MAX_SEED - MOST_TAKES, placeholder=gettext_lazy("the shot's own")
    )

    def __init__(self, *args: Any, project: Project, shots: Sequence[Shot], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.project = project
        templates = self.templates = list(offered())
        remember(template.current for template in templates if template.current is not None)
        self.offers = [offer_of(template) for template in templates]
        pictures = [template for template in templates if template.kind in PICTURES]
        clips = [template for template in templates if template.kind in CLIPS]
        self.offer_files(project, templates, shots)
        self._offer("picture", pictures, nothing=_("none: start from the shot's keyframe"))
        self._offer("clip", clips, nothing=_("none"))
        first = min(pictures, key=_asks_for_more, default=None)
        self.fields["picture"].initial = first.slug if first else ""

    def _offer(self, name: str, templates: list[WorkflowTemplate], *, nothing: str) -> None:
        titles = [(template.slug, f"{spoken(template, 'title')} · {template.slug}") for template in templates]
        set_choices(self.fields[name], [("", nothing), *titles])
        precisions = dict.fromkeys(
            precision
            for template in templates
            if template.current is not None
            for precision in template_of(template.current).manifest.precisions
        )
        set_choices(
            self.fields[f"{name}_precision"], [("", _("template's")), *((word, word) for word in precisions)]
        )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and not data.get("picture") and not data.get("clip"):
            self.add_error("picture", _("Choose a picture template, a clip template, or both."))
        if not self.errors:
            unused = self.named() - {role for name in ("picture", "clip") for role in self._roles(data[name])}
            for row in (row for row in range(1, ROWS + 1) if data[f"input_{row}"] in unused):
                self.add_error(f"input_{row}", _("The templates chosen take no such file."))
        return data

    def _roles(self, slug: str) -> tuple[str, ...]:
        """The files that this template takes."""
        versions = (template.current for template in self.templates if template.slug == slug)
        return next((template_of(one).manifest.file_roles for one in versions if one is not None), ())

    def steps(self) -> list[Step]:
        """What is asked for, picture first: a clip of the same request starts from it."""
        data = self.cleaned_data
        return [self._step(name) for name in ("picture", "clip") if data[name]]

    def name_of(self, field: str) -> str:
        """Name a field, or the place of a problem (``steps[1].seed``), in the words of this form.

        What the form does not know (``SQ010_SH0040.width``) is returned as it is.
        """
        if place := _STEP.fullmatch(field):
            asked = [part for part in ("picture", "clip") if self.cleaned_data.get(part)]
            part, name = asked[int(place["index"])], place["field"]
            own = f"{part}_{name}"
            if "." in name:  # what one shot lacks, or a file that was named
                return f"{self.fields[part].label}: {name}"
            return self.name_of(own if own in self.fields else name if name in self.fields else part)
        if field not in self.fields:
            return field
        label = str(self.fields[field].label)
        group = field.partition("_")[0]
        return (
            f"{self.fields[group].label}: {label}" if group in ("picture", "clip") and "_" in field else label
        )

    def _step(self, name: str) -> Step:
        data = self.cleaned_data
        return Step(
            template=data[name],
            takes=data["takes"],
            width=data[f"{name}_width"],
            height=data[f"{name}_height"],
            frames=data["frames"] if name == "clip" else None,
            seed=data["seed"],
            precision=data[f"{name}_precision"],
            files=self.files_for(self._roles(data[name])),
        )
