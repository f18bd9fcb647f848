"""A shot's prompt on its pages: looked at before it is rendered, written by hand, compared with what was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.common.errors import NotAllowed, Problem, Refused
from apps.common.show import spoken
from apps.productions.models import Shot
from apps.projects.admin_scope import ScopedAdmin
from apps.projects.reach import person_of
from apps.projects.roles import Act
from apps.prompts.difference import prompt_difference
from apps.prompts.models import PromptBuild, Spoken
from apps.prompts.selectors import builds_of
from apps.prompts.services import drop_edit, edit_prompt
from apps.renders.services.prompting import PromptShown, show_prompts, version_for, wordy_versions
from apps.renders.warnings import warning_problem

SHOWN_BUILDS: Final = 20
SHOWN_TAKES: Final = 24
READING: Final = ("GET", "HEAD")
LANGUAGES: Final = (("", gettext_lazy("the project's")), ("en", "English"), ("ko", "한국어"))


@dataclass(frozen=True)
class Texts:
    """What stands in the form by hand: typed, or kept, or what the composer writes.

    ``row_version``: of the text that was read.
    """

    positive: str
    negative: str
    row_version: int


class ShowsPrompts(ScopedAdmin):
    """The pages of a shot's prompt."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("<path:object_id>/prompt/", view(self.prompt_view), name="productions_shot_prompt"),
            path(
                "<path:object_id>/prompt/keep/", view(self.keep_prompt), name="productions_shot_prompt_keep"
            ),
            path(
                "<path:object_id>/prompt/drop/", view(self.drop_prompt), name="productions_shot_prompt_drop"
            ),
            path(
                "<path:object_id>/prompt/compare/",
                view(self.compare_prompts),
                name="productions_shot_prompt_compare",
            ),
            path(
                "<path:object_id>/prompt/<uuid:build_id>/",
                view(self.build_view),
                name="productions_shot_prompt_build",
            ),
        ]
        return own + super().get_urls()

    def prompt_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what would be sent for a template and a language; and the builds of the shot."""
        if request.method not in READING:
            return HttpResponseNotAllowed(READING)
        return self._page(request, self._seen(request, object_id))

    def keep_prompt(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Keep a text by hand. What is refused stays in the form; a text somebody else wrote is shown."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        shot = self._planned(request, object_id)
        try:
            shown = self._shown(request, shot)
            edit_prompt(
                shot,
                user=person_of(request),
                channel=shown.preview.build.channel,
                row_version=_version_in(request),
                **_differing(request, shown),
            )
        except Refused as refused:
            return self._page(request, shot, typed=request, problems=refused.problems)
        except NotAllowed as refused:
            raise PermissionDenied(str(refused)) from refused
        messages.success(request, _("The text is kept: it renders until it is given back to the composer."))
        return HttpResponseRedirect(_address(shot, request.POST.get("template", "")))

    def drop_prompt(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give a text back to the composer."""

        def deed(shot: Shot) -> str:
            channel = request.POST.get("channel", "")
            if drop_edit(shot, user=person_of(request), channel=channel, row_version=_version_in(request)):
                return _("The composer writes this prompt again.")
            return _("Nobody had written this prompt by hand.")

        return self.perform(request, object_id, Act.PLAN, deed)

    def compare_prompts(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what differs between two builds of the shot."""
        if request.method not in READING:
            return HttpResponseNotAllowed(READING)
        shot = self._seen(request, object_id)
        was, now = (_build_named(shot, request.GET.get(name, "")) for name in ("a", "b"))
        if was is None or now is None:
            messages.error(request, _("Choose two prompts of this shot to compare."))
            return HttpResponseRedirect(_address(shot))
        context = {"was": was, "now": now, "difference": prompt_difference(was, now)}
        return self._answer(request, shot, "compare", _("Prompts of %s, compared"), context)

    def build_view(self, request: HttpRequest, object_id: str, build_id: UUID) -> HttpResponse:
        """Show one build with every segment, and the takes made with it."""
        if request.method not in READING:
            return HttpResponseNotAllowed(READING)
        shot = self._seen(request, object_id)
        build = builds_of(shot).filter(pk=build_id).first()
        if build is None:
            raise Http404
        takes = build.takes.order_by("-created_at")[:SHOWN_TAKES]
        before = builds_of(shot).filter(created_at__lt=build.created_at, channel=build.channel).first()
        context = {"build": build, "takes": takes, "before": before}
        return self._answer(request, shot, "build", _("Prompt of %s"), context)

    def _page(
        self,
        request: HttpRequest,
        shot: Shot,
        *,
        typed: HttpRequest | None = None,
        problems: tuple[Problem, ...] = (),
    ) -> HttpResponse:
        told, shown = list(problems), None
        try:
            shown = self._shown(request, shot)
        except Refused as refused:
            told += [problem for problem in refused.problems if problem not in told]
        choices = [(label, wordy_versions(channel)) for channel, label in Spoken.choices]
        asked = request.POST if request.method == "POST" else request.GET
        context = {
            "shown": shown,
            "warnings": [warning_problem(shot, one) for one in shown.warnings] if shown else [],
            "problems": told,
            "choices": [(label, [_choice(one) for one in versions]) for label, versions in choices],
            "template": shown.version.template.slug if shown else asked.get("template", ""),
            "languages": LANGUAGES,
            "language": asked.get("language", ""),
            "texts": _texts(shown, typed) if shown else None,
            "within": "shot" if asked.get("within") else "",
            "conflict": any(problem.code == "stale" for problem in told),
            "may_edit": self.may(request, Act.PLAN, shot),
            "builds": Paginator(builds_of(shot).defer("segments", "left_out"), SHOWN_BUILDS).get_page(
                request.GET.get("page")
            ),
        }
        return self._answer(request, shot, "prompt", _("Prompt of %s"), context)

    def _answer(
        self, request: HttpRequest, shot: Shot, page: str, title: str, context: dict[str, Any]
    ) -> HttpResponse:
        whole = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title % shot.full_code,
            "shot": shot,
            **context,
        }
        return TemplateResponse(request, f"admin/productions/shot/{page}.html", whole)

    def _shown(self, request: HttpRequest, shot: Shot) -> PromptShown:
        asked = request.POST if request.method == "POST" else request.GET
        channel = asked.get("channel", "")
        version = version_for(
            shot,
            template=asked.get("template", "")[:50],
            channel=channel if channel in Spoken.values else Spoken.IMAGE,
        )
        language = asked.get("language", "") or None
        return show_prompts(version, [shot], language=language)[shot.pk]

    def _seen(self, request: HttpRequest, object_id: str) -> Shot:
        shot = self.get_object(request, object_id)
        if shot is None:
            raise Http404
        if not self.has_view_permission(request, shot):
            raise PermissionDenied
        found: Shot = shot
        return found

    def _planned(self, request: HttpRequest, object_id: str) -> Shot:
        shot = self._seen(request, object_id)
        if not self.may(request, Act.PLAN, shot):
            raise PermissionDenied
        return shot


def _texts(shown: PromptShown, typed: HttpRequest | None) -> Texts:
    """What the form begins with; after a refusal what was typed, beside the version that is there now."""
    edit, build = shown.preview.edit, shown.preview.build
    version = edit.row_version if edit is not None else 0
    if typed is not None:
        return Texts(typed.POST.get("positive", ""), typed.POST.get("negative", ""), version)
    return Texts(build.positive, build.negative, version)


def _differing(request: HttpRequest, shown: PromptShown) -> dict[str, str | None]:
    """What was typed, None where it is what the composer writes anyway."""
    typed = {
        name: request.POST.get(name, "").replace("\r\n", "\n").strip() for name in ("positive", "negative")
    }
    preview = shown.preview
    composed = {"positive": preview.composed_positive, "negative": preview.composed_negative}
    return {name: None if text == composed[name] else text for name, text in typed.items()}


def _version_in(request: HttpRequest) -> int:
    told = request.POST.get("row_version", "")
    return int(told) if told.isascii() and told.isdigit() and len(told) < 9 else 0


def _build_named(shot: Shot, told: str) -> PromptBuild | None:
    try:
        return builds_of(shot).filter(pk=UUID(told)).first()
    except ValueError:
        return None


def _choice(version: Any) -> tuple[str, str]:
    return version.template.slug, f"{spoken(version.template, 'title')} · {version.template.slug}"


def _address(shot: Shot, template: str = "") -> str:
    address = reverse("admin:productions_shot_prompt", args=[shot.pk])
    return f"{address}?template={template}" if template.replace("_", "").isalnum() else address
