"""What the import pages ask."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget

from apps.common.admin_forms import name_choices
from apps.projects.admin_choices import label_of
from apps.projects.models import Project
from apps.sheets.columnwords import SHEETS, WORDS
from apps.sheets.exporting import Discipline
from apps.sheets.headings import IGNORED, Targets, columns_of, nearest
from apps.sheets.models import Format, ImportBatch
from apps.sheets.reading import TableMapping
from apps.sheets.writing import label_of as column_label


class _OfProject(forms.Form):
    """A film of the person's."""

    project = forms.ModelChoiceField(
        label=gettext_lazy("project"), queryset=Project.objects.none(), widget=UnfoldAdminSelectWidget()
    )

    def __init__(self, *args: Any, projects: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["project"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - declared above
        field.queryset = projects
        name_choices(field, label_of)
        field.empty_label = None


class UploadForm(_OfProject):
    """A file, and the film it is about."""

    file = forms.FileField(label=gettext_lazy("file"), widget=UnfoldAdminFileFieldWidget())


class ExportForm(_OfProject):
    """Which sheets of which film, as what."""

    discipline = forms.ChoiceField(
        label=gettext_lazy("sheets"),
        choices=Discipline.choices,
        required=False,
        widget=UnfoldAdminSelectWidget(),
    )
    format = forms.ChoiceField(
        label=gettext_lazy("format"), choices=Format.choices, widget=UnfoldAdminSelectWidget()
    )


class MappingForm(forms.Form):
    """For each table which sheet it is, for each of its columns which of ours."""

    def __init__(self, batch: ImportBatch, known: Targets, data: Any = None) -> None:
        super().__init__(data)
        self.batch = batch
        self.known = known
        sheets = [(IGNORED, _("not read")), *((sheet, sheet) for sheet in SHEETS)]
        for number, table in enumerate(batch.tables):
            mapped = batch.mapping[table["name"]]
            self._choice(f"t{number}", table["name"], sheets, mapped["sheet"])
            for place, heading in enumerate(table["headings"]):
                offered = self._columns(mapped["sheet"], table["keys"][place])
                self._choice(f"t{number}c{place}", heading or "–", offered, mapped["columns"][place])

    def _choice(self, name: str, label: str, choices: Iterable[Any], initial: str) -> None:
        self.fields[name] = forms.ChoiceField(
            label=label, choices=list(choices), initial=initial, required=False
        )
        self.fields[name].widget.attrs["class"] = "sf-input"

    def _columns(self, sheet: str, heading: str) -> list[Any]:
        if not sheet:
            # Another sheet may be chosen for the table, and its columns in the same go.
            names = dict.fromkeys(name for names in self.known.by_sheet.values() for name in names)
        else:
            names = dict.fromkeys(self.known.by_sheet[sheet])
        close = nearest(heading, sheet, self.known) if sheet else ""
        first = [(IGNORED, _("– not read –"))]
        shown = [(name, _shown(name, self.known)) for name in names]
        shown.sort(key=lambda one: one[0] != close)
        return [*first, *shown]

    @property
    def tables(self) -> list[dict[str, Any]]:
        """The tables with their fields, for the page."""
        return [
            {
                **table,
                "field": self[f"t{number}"],
                "sheet": self.batch.mapping[table["name"]]["sheet"],
                "remembered": self.batch.mapping[table["name"]].get("remembered"),
                "columns": [
                    {
                        "heading": heading,
                        "sample": table["samples"][place],
                        "field": self[f"t{number}c{place}"],
                        "ignored": not self.batch.mapping[table["name"]]["columns"][place],
                    }
                    for place, heading in enumerate(table["headings"])
                    if heading or table["samples"][place]  # what nobody sees is nothing to choose
                ],
            }
            for number, table in enumerate(self.batch.tables)
        ]

    def chosen(self) -> dict[str, TableMapping]:
        """The mapping that was chosen; a table that becomes another sheet is guessed anew."""
        found: dict[str, TableMapping] = {}
        for number, table in enumerate(self.batch.tables):
            sheet = self.cleaned_data[f"t{number}"]
            columns = tuple(
                self.cleaned_data[f"t{number}c{place}"] for place in range(len(table["headings"]))
            )
            if sheet != self.batch.mapping[table["name"]]["sheet"]:
                columns = columns_of(table["keys"], sheet, self.known)
            found[table["name"]] = TableMapping(sheet, columns)
        return found


def _shown(name: str, known: Targets) -> str:
    label = column_label(name) if name in WORDS else known.names.get(name, name)
    return name if label.casefold() == name else f"{name} · {label}"


def rows_of(listed: Iterable[str]) -> list[list[Any]]:
    """Read the ticked rows of a page: "table|row" each."""
    rows = []
    for one in listed:
        table, _bar, number = one.rpartition("|")
        if table and number.isdecimal():
            rows.append([table, int(number)])
    return rows
