"""Opening workbooks that strangers made."""

from __future__ import annotations

import io
import unicodedata
import zipfile
from pathlib import Path
from typing import BinaryIO

import pytest
from openpyxl import Workbook

from apps.common.errors import Refused
from apps.productions.importing import reader
from apps.productions.importing.reader import Fault, Sheet, read_workbook


def _saved(*rows: list[object]) -> io.BytesIO:
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = "Shots"
    for row in rows:
        sheet.append(row)
    file = io.BytesIO()
    workbook.save(file)
    file.seek(0)
    return file


def read_shots(source: Path | BinaryIO) -> Sheet:
    return read_workbook(source, wanted={"Shots"}).sheets["Shots"]


def test_headings_are_read_as_people_write_them() -> None:
    sheet = read_shots(_saved(["Code", " Time of day ", None]))
    assert sheet.headings[:2] == ("code", "time_of_day")


def test_blank_rows_are_passed_over_and_numbers_stay_those_of_the_spreadsheet() -> None:
    sheet = read_shots(_saved(["code"], ["A"], [None], ["  "], ["B"]))
    assert [(row.number, row.cells) for row in sheet.rows] == [(2, ("A",)), (5, ("B",))]


def test_a_formula_that_was_never_calculated_is_a_fault_not_an_empty_cell() -> None:
    sheet = read_shots(_saved(["frames"], ["=24*2"]))
    (cell,) = sheet.rows[0].cells
    assert isinstance(cell, Fault)
    assert cell.shown == "=24*2"
    assert "never calculated" in cell.message


def test_an_error_value_is_a_fault() -> None:
    sheet = read_shots(_saved(["frames"], ["#REF!"]))
    (cell,) = sheet.rows[0].cells
    assert isinstance(cell, Fault)
    assert cell.shown == "#REF!"


def test_korean_typed_on_a_mac_is_composed() -> None:
    sheet = read_shots(_saved(["name_ko"], [unicodedata.normalize("NFD", "눈의 여왕")]))
    assert sheet.rows[0].cells == ("눈의 여왕",)


def test_a_sheet_that_lies_about_its_size_is_read_whole() -> None:
    honest = _saved(["code"], ["A"], ["B"])
    lying = io.BytesIO()
    with zipfile.ZipFile(honest) as source, zipfile.ZipFile(lying, "w") as target:
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename.endswith("sheet1.xml"):
                assert b'<dimension ref="A1:A3"' in content
                content = content.replace(b'<dimension ref="A1:A3"', b'<dimension ref="A1"')
            target.writestr(entry, content)
    lying.seek(0)
    assert [row.cells for row in read_shots(lying).rows] == [("A",), ("B",)]


@pytest.mark.parametrize("content", [b"", b"shot,frames\nSH0010,48\n", b"PK\x03\x04 torn"])
def test_a_file_that_is_no_workbook_is_refused_with_the_remedy(content: bytes) -> None:
    with pytest.raises(Refused, match=r"not an XLSX workbook. Save the shot list as .xlsx"):
        read_shots(io.BytesIO(content))


def test_a_zip_that_is_no_workbook_is_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("hello.txt", "hello")
    file.seek(0)
    with pytest.raises(Refused, match="damaged"):
        read_shots(file)


def test_a_workbook_that_unpacks_too_large_is_refused_before_it_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reader, "MAX_UNPACKED_BYTES", 100)
    with pytest.raises(Refused, match="unpacks to more than"):
        read_shots(_saved(["code"]))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"no_such\.xlsx.*No such file"):
        read_shots(tmp_path / "no_such.xlsx")


def test_sheets_nobody_wants_are_named_but_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_ROWS", 1)
    contents = read_workbook(_saved(["code"], ["A"], ["B"]), wanted={"Locations"})
    assert (contents.names, dict(contents.sheets)) == (("Shots",), {})


def test_a_sheet_with_too_many_rows_or_columns_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_ROWS", 1)
    with pytest.raises(Refused, match="Split the shot list"):
        read_shots(_saved(["code"], ["A"], ["B"]))
    with pytest.raises(Refused, match="more than 64 columns"):
        read_shots(_saved(["code", *[""] * 63, "one too many"]))
