"""Read a production from a workbook: reader → records → plan → apply, all or nothing."""

from __future__ import annotations

from apps.productions.importing.result import Difference, ImportResult
from apps.productions.importing.service import import_workbook

__all__ = ["Difference", "ImportResult", "import_workbook"]
