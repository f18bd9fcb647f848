"""Take over a project of AIPipeline, the prototype: its JSON files or its SQLite database."""

from apps.productions.prototype.service import import_aipipeline

__all__ = ["import_aipipeline"]
