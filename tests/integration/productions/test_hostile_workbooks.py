"""Workbooks made to harm: refused with one sentence, nothing is written; without an end is what times out."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from apps.common.errors import Refused
from apps.productions.importing import import_workbook, reader
from apps.projects.models import Project
from tests.integration.productions.conftest import saved, small_production

pytestmark = pytest.mark.django_db


def rewritten(part: str, change: Callable[[str], str]) -> io.BytesIO:
    """The small production with one of its XML parts changed."""
    source, out = saved(small_production()), io.BytesIO()
    seen = []
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            text = old.read(entry)
            if entry.filename == part:
                changed = change(text.decode()).encode()
                assert changed != text, "the fault is in the file"
                text = changed
                seen.append(part)
            new.writestr(entry.filename, text)
    assert seen == [part]
    out.seek(0)
    return out


def refusal(file: io.BytesIO) -> str:
    with pytest.raises(Refused) as refused:
        import_workbook(file)
    assert not Project.objects.exists()
    (problem,) = refused.value.problems
    assert problem.field in ("file", "Project")
    return str(problem.message)


def test_a_zip_bomb_is_refused_by_what_it_says_it_holds() -> None:
    bomb = io.BytesIO()
    archive = zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED)
    with archive, archive.open("xl/workbook.xml", "w") as part:
        for _ in range(reader.MAX_UNPACKED_BYTES // 1_000_000 + 10):
            part.write(bytes(1_000_000))
    assert len(bomb.getvalue()) < 1_000_000
    bomb.seek(0)
    assert "unpacks to more than 120 MB" in refusal(bomb)


def test_an_archive_that_lies_about_its_sizes_is_refused() -> None:
    honest = saved(small_production()).getvalue()
    with zipfile.ZipFile(io.BytesIO(honest)) as archive:
        size = archive.getinfo("xl/workbook.xml").file_size
    lying = honest.replace(size.to_bytes(4, "little"), (7).to_bytes(4, "little"))
    assert lying != honest
    assert "damaged" in refusal(io.BytesIO(lying)) or "not an XLSX" in refusal(io.BytesIO(lying))


def test_entities_that_expand_without_end_are_refused() -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    doctype = f'<!DOCTYPE x [<!ENTITY l0 "lol">{laughs}]>'

    def laugh(xml: str) -> str:
        head, _, rest = xml.rpartition("?>") if xml.startswith("<?xml") else ("", "", xml)
        changed = re.sub(r"<t>[^<]*</t>", "<t>&l9;</t>", rest, count=1)
        return f"{head}{'?>' if head else ''}{doctype}{changed}"

    assert "damaged" in refusal(rewritten("xl/worksheets/sheet1.xml", laugh))


def test_an_entity_that_names_a_file_reads_no_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the broker's password")

    def fetch(xml: str) -> str:
        changed = re.sub(r"<t>[^<]*</t>", "<t>&theirs;</t>", xml, count=1)
        at = changed.index("<worksheet")
        doctype = f'<!DOCTYPE worksheet [<!ENTITY theirs SYSTEM "file://{secret}">]>'
        return changed[:at] + doctype + changed[at:]

    assert "password" not in refusal(rewritten("xl/worksheets/sheet1.xml", fetch))


def test_a_row_that_claims_to_be_the_two_thousand_millionth_is_refused() -> None:
    def far(xml: str) -> str:
        return xml.replace('<row r="2"', '<row r="2000000000"').replace('r="A2"', 'r="A2000000000"')

    assert "more rows than a spreadsheet has" in refusal(rewritten("xl/worksheets/sheet1.xml", far))


def test_a_column_beyond_every_spreadsheet_is_refused() -> None:
    def wide(xml: str) -> str:
        return xml.replace('r="A2"', 'r="ZZZZZZZZ2"')

    assert refusal(rewritten("xl/worksheets/sheet1.xml", wide))


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0" + bytes(600), b"code,name\nA,B\n"]
)
def test_what_is_no_workbook_is_refused_whatever_its_name(content: bytes) -> None:
    file = io.BytesIO(content)
    file.name = "list.xlsx"
    assert "not an XLSX workbook" in refusal(file)


def test_a_document_of_another_kind_in_a_zip_is_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
        archive.writestr("[Content_Types].xml", "<Types/>")
    file.seek(0)
    assert "damaged" in refusal(file)
