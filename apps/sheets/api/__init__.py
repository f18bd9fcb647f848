"""Spreadsheets over HTTP: brought in, and handed out."""

from apps.sheets.api.exports import ExportViewSet
from apps.sheets.api.imports import SheetImportViewSet

__all__ = ["ExportViewSet", "SheetImportViewSet"]
