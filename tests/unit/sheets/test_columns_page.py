"""docs/spreadsheets.md knows every column, and every column has its words."""

from __future__ import annotations

from apps.productions.importing.layout import PLANNING
from apps.sheets.columnspage import PAGE, columns_table
from apps.sheets.columnwords import WORDS


def test_the_page_has_the_table_that_the_code_makes() -> None:
    assert columns_table().strip() in PAGE.read_text(encoding="utf-8")


def test_every_column_has_its_words_in_english_and_korean() -> None:
    for layout in PLANNING:
        for column in layout.columns:
            english, korean, _others = WORDS[column.name]
            assert english and korean, column.name
