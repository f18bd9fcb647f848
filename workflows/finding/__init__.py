"""Find what can be set in a graph, by type and links, never by title; and draft a manifest from it.

========= =====================================================================
found     what is found, as dataclasses
search    the whole search: ``find``
draft     a manifest document from what was found, for a person to complete
========= =====================================================================
"""

from workflows.finding.draft import draft_manifest
from workflows.finding.found import (
    Candidate,
    Found,
    FoundLoraPlace,
    FoundModel,
    FoundOutput,
    FoundSampler,
    Why,
)
from workflows.finding.search import find

__all__ = [
    "Candidate",
    "Found",
    "FoundLoraPlace",
    "FoundModel",
    "FoundOutput",
    "FoundSampler",
    "Why",
    "draft_manifest",
    "find",
]
