"""Bodies of requests: read with a bound, whatever their length says of itself."""

from __future__ import annotations

import codecs
import json
from collections.abc import Mapping
from typing import IO, Any, Final

from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import JSONParser
from rest_framework.utils import json as strict_json

MAX_BYTES: Final = 5 * 1024 * 1024
"""A batch of ten thousand shots by code is 200 kB."""


class TooLong(APIException):
    """The body is longer than any request of this API."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_long"


class BoundedJson(JSONParser):
    """JSON of at most MAX_BYTES that nests no deeper than Python can read."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        content = stream.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise TooLong(_("the body is longer than 5 MB; send it in parts"))
        try:
            constant = strict_json.strict_constant if self.strict else None
            return json.loads(codecs.decode(content, "utf-8"), parse_constant=constant)
        except RecursionError as exc:
            raise ParseError(_("JSON parse error - it nests too deeply")) from exc
        except ValueError as exc:
            raise ParseError(f"JSON parse error - {exc}") from exc


def each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of a JSON file in which nothing goes by unseen: of a name that is there twice, one would.

    Raises ValueError, in words.
    """
    told = dict(pairs)
    if len(told) < len(pairs):
        names = [name for name, _value in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(_("“%s” is twice in one object") % twice[:60])
    return told
