"""What a page of ours may load and run (Content-Security-Policy; docs/adr/0019)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from csp.constants import NONCE, NONE, SELF, Nonce

DIRECTIVES: Final[dict[str, Sequence[str | Nonce]]] = {
    "default-src": [SELF],
    "script-src": [SELF],
    "style-src": [SELF, NONCE],  # the nonce: error pages carry their style with them
    "img-src": [SELF],
    "media-src": [SELF],
    "font-src": [SELF],
    "connect-src": [SELF],
    "object-src": [NONE],
    "frame-src": [NONE],
    "worker-src": [NONE],
    "manifest-src": [SELF],
    "base-uri": [SELF],
    "form-action": [SELF],
    "frame-ancestors": [NONE],
}
"""Every page's policy. No inline script, no inline style, nobody else's server."""

API_PAGE: Final[dict[str, Sequence[str]]] = {"img-src": ["data:"]}
"""What the page of the API needs besides: Swagger UI keeps its icons in its stylesheet."""
