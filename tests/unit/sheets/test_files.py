"""What a file is, is decided by its bytes; what a cell holds, by nobody but the person who typed it."""

from __future__ import annotations

import io
import zipfile
from datetime import time, timedelta
from fractions import Fraction
from typing import Any

import pytest
from openpyxl import Workbook

from apps.common.errors import Refused
from apps.productions.importing import cells
from apps.productions.importing.reader import Fault, Sheet
from apps.sheets.files import read_file
from apps.sheets.reading import seconds_of
from apps.sheets.texts import decoded

HEAD, BODY = "코드,설명,frames", "SH0010,눈 내리는 밤,0048"


def sheet_of(content: bytes, name: str) -> Sheet:
    (sheet,) = read_file(content, name).sheets
    return sheet


def saved(workbook: Workbook) -> bytes:
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


def misread(encoding: str) -> bytes:
    """An export of ours, opened by another program in this encoding and saved as UTF-8."""
    ours = f'"{HEAD}"\r\n'.encode("utf-8-sig")
    return f'"{ours.decode(encoding, "replace")}"\r\n'.encode("utf-8-sig")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp949", "euc-kr"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_csv_is_read_in_every_encoding_and_with_every_separator(encoding: str, separator: str) -> None:
    text = f"{HEAD}\r\n{BODY}\r\n".replace(",", separator)
    sheet = sheet_of(text.encode(encoding), "list.csv")
    assert sheet.titles == ("코드", "설명", "frames")
    assert sheet.rows[0].cells == ("SH0010", "눈 내리는 밤", "0048")


def test_a_csv_that_names_its_separator_is_believed() -> None:
    sheet = sheet_of(b"sep=;\ncode;notes\nSH0010;a, b, c\n", "list.csv")
    assert [(row.number, row.cells) for row in sheet.rows] == [(3, ("SH0010", "a, b, c"))]


def test_a_csv_cell_may_hold_lines_quotes_and_separators() -> None:
    sheet = sheet_of(b'code,notes\nSH0010,"one\r\n""two"", three"\n', "list.csv")
    assert sheet.rows[0].cells == ("SH0010", 'one\n"two", three')


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        (b"", "list.csv", "empty"),
        (b"PK\x03\x04 no archive", "list.xlsx", "not an XLSX workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 64, "list.xls", "no XLSX, CSV or JSON"),
        (b"%PDF-1.7 ...", "list.csv", "no XLSX, CSV or JSON"),
        (b"\x89PNG\r\n\x1a\n", "list.csv", "no XLSX, CSV or JSON"),
        (b"\x81\xff\xfe\xfd,\xff\n", "list.csv", "no XLSX, CSV or JSON"),
        (b'{"shots": []}', "list.csv", "the content is JSON"),
        (b"code,name\n", "list.xlsx", "the content is CSV"),
        (b'{"shots": [NaN]}', "list.json", "NaN is no number"),
        (b"[" * 100_000, "list.json", "cannot be read"),
        (b'[{"code": "SH0010", "code": "SH0020"}]', "list.json", "“code” is twice in one object"),
        (b'{"Shots": [{"code": "a"}], " Shots": [{"code": "b"}]}', "list.json", "Two lists of it"),
        (b'{"shots": [1, 2]}', "list.json", "no list of objects"),
        (b'code,notes\n"SH0010,open\n', "list.csv", "damaged near line"),
        (b"x" * 31_457_281, "list.csv", "larger than 30 MB"),
        (misread("cp1252"), "list.csv", "letters of this file are damaged"),
        (misread("cp949"), "list.csv", "letters of this file are damaged"),
    ],
)
def test_what_is_no_list_is_refused_in_one_sentence(content: bytes, name: str, says: str) -> None:
    with pytest.raises(Refused, match=says):
        read_file(content, name)


def test_a_file_that_is_two_things_at_once_is_what_its_first_bytes_say() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    with pytest.raises(Refused, match=r"no XLSX, CSV or JSON|the content is CSV"):
        read_file(b"code,name\nSH0010,x\n" + packed.getvalue().replace(b"\0", b" "), "list.xlsx")


def test_json_holds_each_sheet_as_objects_and_a_list_in_a_cell() -> None:
    content = b"""{
        "project": {"code": "FROST"},
        "shots": [{"code": "SH0010", "presets": ["a", "b"]}, {"frames": 48}]
    }"""
    project, shots = read_file(content, "plan.json").sheets
    assert project.rows[0].cells == ("FROST",)
    assert [row.cells for row in shots.rows] == [("SH0010", ["a", "b"], None), (None, None, 48)]
    assert cells.words(shots.rows[0].cells[1]) == ["a", "b"]


def test_leading_zeros_are_kept_of_numbers_that_are_shown_with_them() -> None:
    workbook = Workbook()
    sheet: Any = workbook.active
    sheet.append(["code", "frames"])
    sheet.append([40, 48])
    sheet["A2"].number_format = "0000"
    (code, frames) = sheet_of(saved(workbook), "list.xlsx").rows[0].cells
    assert cells.text_of(20)(code) == "0040"
    assert cells.whole(0, 100)(code) == 40
    assert cells.text_of(20)(frames) == "48"


def test_a_merged_range_says_in_each_row_what_its_first_cell_says() -> None:
    workbook = Workbook()
    sheet: Any = workbook.active
    for row in (["sequence", "code"], ["SQ010", "SH0010"], [None, "SH0020"], ["SQ020", "SH0010"]):
        sheet.append(row)
    sheet.merge_cells("A2:A3")
    read = sheet_of(saved(workbook), "list.xlsx")
    assert [row.cells[0] for row in read.rows] == ["SQ010", "SQ010", "SQ020"]
    assert read.merged == ("A2:A3",)


def test_hidden_rows_and_sheets_are_read_and_told() -> None:
    workbook = Workbook()
    sheet: Any = workbook.active
    for row in (["code"], ["A"], ["B"]):
        sheet.append(row)
    sheet.row_dimensions[3].hidden = True
    hidden = workbook.create_sheet("Old")
    hidden.append(["code"])
    hidden.sheet_state = "hidden"
    first, second = read_file(saved(workbook), "list.xlsx").sheets
    assert (first.hidden_rows, len(first.rows), second.hidden) == ((3,), 2, True)


def test_rich_text_errors_and_formulas_without_a_value_are_told_apart() -> None:
    workbook = Workbook()
    sheet: Any = workbook.active
    sheet.append(["a", "b"])
    sheet.append(["#REF!", "=A1&B1"])
    (wrong, formula) = sheet_of(saved(workbook), "list.xlsx").rows[0].cells
    assert isinstance(wrong, Fault)
    assert isinstance(formula, Fault)
    assert (wrong.shown, formula.shown) == ("#REF!", "=A1&B1")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (4.5, Fraction(9, 2)),
        ("4.5", Fraction(9, 2)),
        (timedelta(seconds=90), Fraction(90)),
        (time(0, 0, 4), Fraction(4)),
        ("01:30", Fraction(90)),
        ("00:00:04:12", Fraction(9, 2)),
        ("00:00:04.250", Fraction(17, 4)),
        ("soon", None),
        (True, None),
        (-1, None),
        ("1/0", None),
    ],
)
def test_a_duration_is_read_however_it_is_written(value: object, seconds: Fraction | None) -> None:
    assert seconds_of(value, Fraction(24)) == seconds


@pytest.mark.parametrize(
    "text",
    ["=1", "+1", "-1", "@x", "'=1", "''", "'tis", "a=b", "plain", "'+", "\uff1d1", "'\uff0b1", "\uff201"],
)
def test_what_is_escaped_reads_as_it_was(text: str) -> None:
    read = cells.text_of(None)
    assert read(cells.escaped(text)) == text
    assert read(cells.escaped(text, typed=True)) == text
    assert not cells.escaped(text).startswith(("=", "+", "-", "@", "\uff1d", "\uff20"))


@pytest.mark.parametrize(
    ("written", "number"), [("0,35", 0.35), ("35%", 0.35), ("112,5 %", 1.125), ("'0.5", 0.5), ("1e-1", 0.1)]
)
def test_a_weight_is_read_as_spreadsheets_write_it(written: str, number: float) -> None:
    assert cells.decimal(0, 2)(written) == number


@pytest.mark.parametrize("written", ["1,2,3", "%", "300%", "0,5x", "-0,5"])
def test_what_is_no_weight_is_refused(written: str) -> None:
    with pytest.raises(cells.Unreadable):
        cells.decimal(0, 2)(written)


def test_half_a_letter_is_no_text() -> None:
    with pytest.raises(Refused):
        decoded(b"\xff\xfe\x00\xd8", "list.csv")


def test_what_no_database_keeps_is_told_as_a_cell_at_fault() -> None:
    content = b'[{"code": "SH0010", "no\\u0000tes": "a\\u0000b", "x": "\\ud800"}]'
    sheet = sheet_of(content, "list.json")
    assert sheet.rows[0].cells == ("SH0010", "a\x1ab", "\ufffd")
    assert "\0" not in "".join(sheet.headings)
    with pytest.raises(cells.Unreadable, match="control characters"):
        cells.text_of(None)(sheet.rows[0].cells[1])


@pytest.mark.parametrize("value", [10**400, "1e400", "9" * 400, "nan", float("inf")])
def test_a_number_beyond_all_bounds_is_no_number(value: object) -> None:
    with pytest.raises(cells.Unreadable):
        cells.whole(0, 100)(value)


def test_a_duration_beyond_all_bounds_is_refused_at_once() -> None:
    assert seconds_of("1e1000000000", Fraction(24)) is None


@pytest.mark.parametrize("typed", ["1e-99999999", "1e99999999", "soon", "0", "1/0"])
def test_a_frame_rate_beyond_all_bounds_is_refused_at_once(typed: str) -> None:
    with pytest.raises(cells.Unreadable):
        cells.rate(typed)
