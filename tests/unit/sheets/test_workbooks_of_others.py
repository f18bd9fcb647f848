"""Workbooks as Excel, LibreOffice, Google's sheets and Numbers write them, byte by byte where they differ."""

from __future__ import annotations

import io
import zipfile
from fractions import Fraction
from typing import Any

import pytest
from openpyxl import Workbook

from apps.common.errors import Refused
from apps.productions.importing import cells
from apps.productions.importing.ooxml import escaped_letters, padding, unescaped
from apps.productions.importing.reader import Fault
from apps.sheets.files import read_file
from apps.sheets.reading import seconds_of

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def saved(workbook: Workbook) -> bytes:
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


def with_part(content: bytes, part: str, change: Any) -> bytes:
    """The workbook with one of its files changed."""
    before, file = zipfile.ZipFile(io.BytesIO(content)), io.BytesIO()
    with zipfile.ZipFile(file, "w") as after:
        for name in before.namelist():
            text = before.read(name)
            after.writestr(name, change(text.decode()).encode() if name == part else text)
    return file.getvalue()


def rows_of(rows: str, behind: str = "", formats: tuple[str, ...] = ()) -> list[tuple[Any, ...]]:
    """The cells of a sheet with these rows, below its headings; formats: of the styles 1, 2, …"""
    workbook = Workbook()
    sheet: Any = workbook.active
    for index, code in enumerate(formats, start=1):
        sheet.cell(1, index).number_format = code
    body = f"<sheetData><row r='1'><c t='str' r='A1'><v>code</v></c></row>{rows}</sheetData>{behind}"
    content = with_part(
        saved(workbook),
        "xl/worksheets/sheet1.xml",
        lambda _text: f'<worksheet xmlns="{MAIN}">{body}</worksheet>',
    )
    return [row.cells for row in read_file(content, "list.xlsx").sheets[0].rows]


def test_a_formula_whose_value_is_an_empty_text_is_an_empty_cell_and_one_without_a_value_a_fault() -> None:
    ((empty, none, told),) = rows_of(
        '<row r="2"><c r="A2" t="str"><f>IF(B2="","",B2)</f><v></v></c><c r="B2"><f>A2</f><v></v></c>'
        '<c r="C2" t="str"><f>A2</f><v>SH0010</v></c></row>'
    )
    assert empty is None
    assert isinstance(none, Fault)
    assert told == "SH0010"


def test_googles_whole_numbers_are_whole_and_keep_the_zeros_they_are_shown_with() -> None:
    ((code, frames),) = rows_of(
        '<row r="2"><c r="A2" s="1"><v>40.0</v></c><c r="B2"><v>96.0</v></c></row>', formats=("0000",)
    )
    assert cells.text_of(20)(code) == "0040"
    assert (str(code), code, frames, type(frames)) == ("0040", 40, 96, int)


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ('"SH"0000', "SH0040"),
        ('"SQ010_SH"0000', "SQ010_SH0040"),
        (r"\S\H0000", "SH0040"),
        ("0000;[Red]-0000", "0040"),
        ("[$-412]0000", "0040"),
        ('00"화"', "40화"),
        ("0", "40"),
        ("0.00", "40"),
        ("#,##0", "40"),
        ("General", "40"),
    ],
)
def test_a_number_is_text_as_its_format_shows_it_and_a_number_still(code: str, shown: str) -> None:
    ((cell,),) = rows_of('<row r="2"><c r="A2" s="1"><v>40</v></c></row>', formats=(code,))
    assert cells.text_of(20)(cell) == shown
    assert cells.whole(0, 100)(cell) == 40
    assert seconds_of(cell, Fraction(24)) == 40


def test_formats_that_show_more_than_a_number_are_left_to_the_spreadsheet() -> None:
    assert [padding(code) for code in ("00:00", "yyyy-mm-dd", "0%", "00-00", "@", "000E+00")] == [None] * 6


def test_letters_that_a_workbook_escapes_are_read_and_a_text_that_looks_like_one_is_itself() -> None:
    ((lines, literal),) = rows_of(
        '<row r="2"><c r="A2" t="inlineStr"><is><t>one_x000D_\ntwo</t></is></c>'
        '<c r="B2" t="inlineStr"><is><t>_x005F_x000D_</t></is></c></row>'
    )
    assert (lines, literal) == ("one\ntwo", "_x000D_")
    assert unescaped(escaped_letters("a _x0041_ _x005F_x0041_")) == "a _x0041_ _x005F_x0041_"


def test_shared_texts_escape_their_letters_too() -> None:
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    texts = "<si><r><t>co</t></r><r><t>de</t></r></si><si><t>a_x000D_\nb _x005F_x0041_</t></si>"
    cells_ = "<row r='1'><c r='A1' t='s'><v>0</v></c></row><row r='2'><c r='A2' t='s'><v>1</v></c></row>"
    content = with_part(
        saved(Workbook()),
        "[Content_Types].xml",
        lambda text: text.replace(
            "</Types>", f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>'
        ),
    )
    content = with_part(
        content,
        "xl/worksheets/sheet1.xml",
        lambda _text: f'<worksheet xmlns="{MAIN}"><sheetData>{cells_}</sheetData></worksheet>',
    )
    file = io.BytesIO(content)
    with zipfile.ZipFile(file, "a") as packed:
        packed.writestr("xl/sharedStrings.xml", f'<sst xmlns="{MAIN}">{texts}</sst>')
    sheet = read_file(file.getvalue(), "list.xlsx").sheets[0]
    assert (sheet.titles, sheet.rows[0].cells) == (("code",), ("a\nb _x0041_",))


def test_what_a_sheet_holds_beside_cells_breaks_no_list() -> None:
    odd = (
        '<autoFilter ref="A1:A9"><filterColumn colId="0"><customFilters><customFilter operator="contains" '
        'val="눈"/></customFilters></filterColumn></autoFilter>'
        '<mergeCells><mergeCell ref="A2:A3"/></mergeCells>'
        '<conditionalFormatting sqref="A1"><cfRule type="new" priority="x"/></conditionalFormatting>'
        '<dataValidations><dataValidation type="color" sqref="A1"/></dataValidations>'
    )
    rows = '<row r="2"><c r="A2" t="str"><v>a</v></c></row><row r="3"><c r="B3"><v>2</v></c></row>'
    assert rows_of(rows, odd) == [("a", None), ("a", 2)]


def test_a_formulas_rounding_is_no_fraction_and_no_more_digits_than_are_shown() -> None:
    assert cells.whole(0, 100)(0.1 * 30) == 3
    assert cells.text_of(20)(0.1 + 0.2) == "0.3"
    with pytest.raises(cells.Unreadable):
        cells.whole(0, 100)(3.0001)


def test_codes_typed_in_full_width_letters_are_plain() -> None:
    assert cells.code("ＳＨ００４０") == "SH0040"
    assert cells.shot_code("ＳＱ０１０＿ＳＨ００４０") == "SQ010_SH0040"


@pytest.mark.parametrize(
    ("part", "name", "says"),
    [
        ("mimetype", "list.ods", "OpenOffice or Numbers"),
        ("Index/Document.iwa", "list.numbers", "OpenOffice or Numbers"),
        ("Shots.csv", "list.zip", "ZIP of other files"),
    ],
)
def test_another_programs_document_is_named(part: str, name: str, says: str) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr(part, "x")
    with pytest.raises(Refused, match=says):
        read_file(file.getvalue(), name)


@pytest.mark.filterwarnings("ignore:File contains an invalid specification")
def test_a_strict_workbook_says_what_to_save_it_as() -> None:
    def strict(text: str) -> str:
        return text.replace(MAIN, "http://purl.oclc.org/ooxml/spreadsheetml/main").replace(
            "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
            "http://purl.oclc.org/ooxml/officeDocument/relationships",
        )

    content = with_part(saved(Workbook()), "xl/workbook.xml", strict)
    content = with_part(content, "xl/_rels/workbook.xml.rels", strict)
    with pytest.raises(Refused, match="not as Strict Open XML"):
        read_file(content, "list.xlsx")


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_a_title_above_the_headings_hides_no_separator(separator: str) -> None:
    text = "눈의 여왕\ncode;notes\nSH0010;a, b, c\n".replace(";", separator)
    rows = read_file(text.encode("cp949"), "list.csv").sheets[0].rows
    assert [row.cells for row in rows] == [("code", "notes"), ("SH0010", "a, b, c")]


def test_one_stray_zero_makes_no_other_language_of_a_list() -> None:
    sheet = read_file(b"code,notes\nSH0010,the snow f\0lls on the quay\n", "list.csv").sheets[0]
    assert sheet.titles == ("code", "notes")
