"""Words of a shot's text that a rule asks for, in English and Korean, in all their forms. Plain Python."""

from apps.workflows.keywords.find import Match, find, parse_keywords

__all__ = ["Match", "find", "parse_keywords"]
