"""Items that are no messages of ours, each broken at another place."""

from __future__ import annotations

import base64
import json
from itertools import count
from typing import Any, Final

TAG: Final = "poison-"
_numbers = count()


def _envelope(payload: bytes = b"[[], {}, {}]", /, **changes: Any) -> bytes:
    """A message as kombu writes it, but for what is changed; None leaves a part out."""
    envelope = {
        "body": base64.b64encode(payload).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"lang": "py", "task": "shotfarm.render", "id": "chaos", "root_id": "chaos"},
        "properties": {
            "body_encoding": "base64",
            "delivery_info": {"exchange": "", "routing_key": "vram.8"},
            "delivery_tag": f"{TAG}{next(_numbers)}",
        },
    }
    return json.dumps(
        {name: value for name, value in (envelope | changes).items() if value is not None}
    ).encode()


ITEMS: Final = (
    b"",
    b"this is no JSON",
    b"\xff\xfe\x00",
    b"[" * 100_000,
    b"5",
    b"null",
    b'"text"',
    b"[]",
    b"{}",
    b'{"__type__": "datetime", "__value__": 5}',
    b'{"__type__": "uuid", "__value__": {}}',
    _envelope(properties=None),
    _envelope(properties=5),
    _envelope(properties={}),
    _envelope(properties={"delivery_tag": {}, "body_encoding": "base64"}),
    _envelope(properties={"delivery_tag": "a", "body_encoding": "rot13"}),
    _envelope(b"\xff"),
    _envelope(body="not base64!"),
    _envelope(headers=None),
    _envelope(headers=5),
    _envelope(headers={}),
    _envelope(headers={"task": "shotfarm.render"}),
    _envelope(headers={"task": "shotfarm.render", "id": 5}),
    _envelope(headers={"task": "shotfarm.render", "id": {"a": 1}}),
    _envelope(headers={"task": ["shotfarm.render"], "id": "a"}),
    _envelope(headers={"task": "nobody.knows", "id": "a"}),
    _envelope(headers={"task": "shotfarm.render", "id": "a", "eta": "yesterday"}),
    _envelope(headers={"task": "shotfarm.render", "id": "a", "timelimit": 5}),
    _envelope(b"5", headers={"task": "shotfarm.render", "id": "b"}),
    _envelope(b"[]", headers={"task": "shotfarm.render", "id": "c"}),
    _envelope(b"[[5], {}, {}]", headers={"task": "shotfarm.render", "id": "d"}),
    _envelope(b'[[], {"a": 1}, {}]', headers={"task": "shotfarm.report", "id": "e"}),
    _envelope(b"[[{}], {}, {}]", headers={"task": "shotfarm.claim", "id": "f"}),
    _envelope(b"[[[]], {}, null]", headers={"task": "shotfarm.bell", "id": "g"}),
    _envelope(b"[[null], {}, {}]", headers={"task": "shotfarm.media", "id": "h"}),
    _envelope(**{"content-type": "application/x-python-serialize"}),
    _envelope(**{"content-type": None}),
    _envelope(**{"content-encoding": "rot13"}),
)
