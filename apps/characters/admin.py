"""Characters with their costumes, LoRAs and reference pictures."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextInputWidget

from apps.accounts.models import User
from apps.characters.cards import LoraFilter, lora_badge
from apps.characters.models import Character, CharacterLora, CharacterReference, Costume
from apps.characters.pictures import read_picture
from apps.characters.services import CharacterFields, add_reference, create_character, reference_url
from apps.characters.wardrobe import Worn, taken_away
from apps.common.admin_forms import CodedForm, TakingOver, become
from apps.common.counting import count_of
from apps.common.errors import Refused
from apps.common.show import NOTHING, clamped, no_picture, spoken, thumbnail
from apps.projects.admin_filters import MyProjects
from apps.projects.admin_scope import ScopedAdmin, ScopedInline
from apps.projects.reach import person_of

_WORN: Final = "_shotfarm_worn"


class CharacterForm(CodedForm[Character]):
    """Left blank, the code is the project's next (CH0001, CH0002 …). A costume is one of the character's."""

    may_be_blank = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "default_costume" in self.fields:
            own = Costume.objects.filter(character=self.instance)
            self.fields["default_costume"].queryset = own  # type: ignore[attr-defined]  # a choice of rows


class CostumeFormSet(TakingOver):
    keys = ("name",)


class CostumeInline(ScopedInline):
    model = Costume
    formset = CostumeFormSet
    fields = ("name", "prompt", "prompt_ko")


class WordsField(forms.CharField):
    """Words in their order, typed with commas between them; no brackets, no quotes."""

    widget = UnfoldAdminTextInputWidget

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        typed: str = super().clean(value)
        return [word for part in typed.split(",") if (word := part.strip())]

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return self.clean(data) != self.clean(self.prepare_value(initial))
        except ValidationError:
            return True  # it is told when the form is cleaned


class LoraForm(forms.ModelForm[CharacterLora]):
    """A LoRA of a character; trigger words stand as they stand in a prompt."""

    trigger_words = WordsField(
        label=capfirst(gettext_lazy("trigger words")),
        required=False,
        help_text=gettext_lazy("In order, with commas between: elsa_v2, red coat"),
    )


class LoraFormSet(TakingOver):
    keys = ("file", "base_model")


class LoraInline(ScopedInline):
    model = CharacterLora
    form = LoraForm
    formset = LoraFormSet
    fields = ("base_model", "file", "expert", "sha256", "weight", "trigger_words")


class ReferenceForm(forms.ModelForm[CharacterReference]):
    """A new row takes a file, checked here so that what is wrong stands beside it."""

    file = forms.FileField(
        label=gettext_lazy("picture file"), required=False, widget=UnfoldAdminFileFieldWidget()
    )

    class Meta:
        model = CharacterReference
        fields = ("title", "order")

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        file = data.get("file")
        if not self.instance._state.adding:
            if file:
                self.add_error("file", _("A picture is not replaced: add the new one and delete this one."))
        elif not file:
            if "file" not in self.errors:
                self.add_error("file", _("Choose a PNG, JPEG or WebP picture."))
        else:
            try:
                read_picture(file, name=file.name)
            except Refused as refused:
                self.add_error(
                    "file", ValidationError([str(problem.message) for problem in refused.problems])
                )
            file.seek(0)
        return data


class ReferenceInline(ScopedInline):
    model = CharacterReference
    form = ReferenceForm
    fields = ("picture", "title", "file", "size", "order")
    readonly_fields = ("picture", "size")

    reader: User

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        self.reader = person_of(request)  # an inline is made anew for every request
        return super().get_queryset(request)

    @admin.display(description=gettext_lazy("picture"))
    def picture(self, reference: CharacterReference) -> SafeString:
        if reference._state.adding:
            return NOTHING
        return thumbnail(reference_url(reference.pk, self.reader), str(reference))

    @admin.display(description=gettext_lazy("size"))
    def size(self, reference: CharacterReference) -> str:
        return f"{reference.width} × {reference.height}" if reference.width else "–"


@admin.register(Character)
class CharacterAdmin(ScopedAdmin):
    form = CharacterForm
    inlines = (CostumeInline, LoraInline, ReferenceInline)
    change_form_before_template = "admin/characters/character/worn.html"
    list_display = ("face", "code", "called", "looks", "project", "shot_count", "lora")
    list_display_links = ("code", "called")
    list_select_related = ("project",)
    list_filter = (("project", MyProjects), LoraFilter, "archived")
    search_fields = ("code", "name", "name_ko", "description", "description_ko")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("project", "code"),
                    ("name", "name_ko"),
                    ("description", "description_ko"),
                    ("age", "gender", "default_costume"),
                    "negative",
                    ("use_lora", "archived"),
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        first = CharacterReference.objects.filter(character=OuterRef("pk")).order_by("order", "created_at")
        rows: QuerySet[Any] = super().get_queryset(request)
        counted: QuerySet[Any] = rows.annotate(
            _shots=count_of(Character, "casting"), _face=Subquery(first.values("pk")[:1])
        )
        return counted.prefetch_related("loras")

    def dress(self, rows: list[Any], request: HttpRequest) -> None:
        for row in rows:
            row.face_url = reference_url(row._face, person_of(request)) if row._face else ""
            row.lora_shown = lora_badge(row)
            row.shots_cast = row._shots

    def save_model(self, request: HttpRequest, obj: Character, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        told = {
            name: getattr(obj, name) for name in form.cleaned_data if name in CharacterFields.__annotations__
        }
        created = create_character(
            project=obj.project, name=obj.name, code=obj.code, user=person_of(request), **told
        )
        become(obj, created)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        if formset.model is Costume:
            formset.save(commit=False)
            undress, user = request.POST.get("undress") == "1", person_of(request)
            try:
                with taken_away(form.instance, formset.deleted_objects, user=user, undress=undress):
                    super().save_formset(request, form, formset, change)
            except Worn:
                setattr(request, _WORN, True)
                raise
            return
        if formset.model is not CharacterReference:
            super().save_formset(request, form, formset, change)
            return
        formset.save(commit=False)
        for gone in formset.deleted_objects:
            gone.delete()  # the file stays in the store: takes made with it may point at it
        for kept, _changed in formset.changed_objects:
            kept.save()
        for new in formset.extra_forms:
            data = getattr(new, "cleaned_data", {})
            if data.get("file") and not data.get("DELETE"):
                add_reference(form.instance, data["file"], title=data["title"], user=person_of(request))

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context["worn"] = hasattr(request, _WORN)
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="")
    def face(self, character: Any) -> SafeString:
        return thumbnail(character.face_url, character.name) if character.face_url else no_picture()

    @admin.display(description=gettext_lazy("name"), ordering="name")
    def called(self, character: Character) -> str:
        return spoken(character, "name")

    @admin.display(description=gettext_lazy("description"))
    def looks(self, character: Character) -> SafeString:
        return clamped(spoken(character, "description"))

    @admin.display(description=gettext_lazy("shots"), ordering="_shots")
    def shot_count(self, character: Any) -> int | SafeString:
        return int(character._shots)

    @admin.display(description=gettext_lazy("LoRA"), ordering="use_lora")
    def lora(self, character: Any) -> SafeString:
        shown: SafeString = character.lora_shown
        return shown
