"""Hand a written file to whoever asked."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.http import content_disposition_header

from apps.sheets.writing import Written


def handed_over(written: Written) -> HttpResponse:
    """Answer with a file that browsers keep and never show."""
    answer = HttpResponse(written.content, content_type=written.media_type)
    answer["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=written.name)
    answer["Cache-Control"] = "no-store"
    return answer
