"""Small workbooks for the tests of the import."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from openpyxl import Workbook

Sheets = dict[str, list[list[Any]]]
WorkbookMaker = Callable[..., io.BytesIO]


def small_production() -> Sheets:
    """One project, one sequence, one character with two costumes, two shots, one casting."""
    return {
        "Project": [["code", "name", "fps"], ["FROST", "Frost", 24]],
        "Sequences": [["code", "name", "name_ko"], ["SQ010", "The roof", "지붕"]],
        "Characters": [
            ["code", "name", "use_lora", "default_costume"],
            ["CH0001", "Gerda", "no", "Pinafore"],
        ],
        "Costumes": [
            ["character", "name", "prompt"],
            ["CH0001", "Pinafore", "a blue pinafore"],
            ["CH0001", "Cloak", "a red cloak"],
        ],
        "Loras": [
            ["character", "base_model", "file", "weight", "trigger_words"],
            ["CH0001", "flux", "characters/gerda.safetensors", 0.7, "gerda_snow, braids"],
        ],
        "Locations": [["code", "name", "prompt"], ["LOC010", "Roof garden", "two windows and roses"]],
        "Shots": [
            ["sequence", "code", "description", "frames", "location", "weather", "time_of_day", "presets"],
            ["SQ010", "SH0010", "Roofs at evening", 96, "LOC010", "sunny", "Golden hour", "wide-shot, 35mm"],
            ["SQ010", "SH0020", "Two on the roof", 48, "LOC010", None, None, None],
        ],
        "Casting": [
            ["shot", "character", "action", "costume"],
            ["SQ010_SH0020", "CH0001", "turns a page", "Cloak"],
        ],
    }


def saved(sheets: Sheets) -> io.BytesIO:
    """Write sheets as an XLSX file in memory."""
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
    file = io.BytesIO()
    workbook.save(file)
    file.seek(0)
    return file


@pytest.fixture
def sheets() -> Sheets:
    """The small production, to be bent by the test."""
    return small_production()


@pytest.fixture
def workbook() -> WorkbookMaker:
    """Save sheets as a workbook."""
    return saved
