"""What a workbook's Renders sheet asks to be rendered. The demo submits it; the import leaves it alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from django.utils.translation import gettext as _

from apps.common.errors import Problem, Refused
from apps.productions.importing.layout import RENDERS
from apps.productions.importing.reader import read_workbook
from apps.productions.importing.records import read_records

DEMO_WORKBOOK: Final = Path(__file__).parent / "demo" / "snow_queen.xlsx"
"""Andersen's "The Snow Queen" (1844, public domain), broken down for this farm."""


@dataclass(frozen=True)
class PlannedRender:
    """Takes of one shot by one workflow template. Size in pixels; a still has one frame."""

    shot_code: str
    template: str
    takes: int
    width: int
    height: int
    frames: int


def read_render_plan(source: Path | BinaryIO) -> list[PlannedRender]:
    """Read the Renders sheet in its order; raise Refused with every problem and its address.

    Whether shots and templates exist is not checked here: submitting does that.
    """
    sheet = read_workbook(source, wanted={RENDERS.sheet}).sheets.get(RENDERS.sheet)
    if sheet is None:
        raise Refused(
            Problem(RENDERS.sheet, "", _("The workbook has no such sheet. Add it."), "missing_sheet")
        )
    problems: list[Problem] = []
    records = read_records(sheet, RENDERS, problems)
    if problems:
        raise Refused(*problems)
    defaults = {column.name: column.empty for column in RENDERS.columns if not column.must_be_filled}
    return [
        PlannedRender(
            shot_code=values["shot"],
            template=values["template"],
            takes=values["takes"],
            width=values["width"],
            height=values["height"],
            frames=values["frames"],
        )
        for values in ({**defaults, **record.values} for record in records)
    ]
