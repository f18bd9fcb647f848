"""What the composer writes of the fixture shot: every ready-made order, nobody, one and three in it.

``python -m tests.unit.prompts.golden`` prints one hash over all of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from apps.prompts.composer import compose
from apps.prompts.facts import CastMember
from apps.prompts.order import ORDERS
from apps.prompts.reader import Reader
from tests.unit.prompts.facts import CROW, GERDA, KAY, SHOT

CASTS: Final[Mapping[str, tuple[CastMember, ...]]] = {
    "nobody": (),
    "one": (GERDA,),
    "three": (GERDA, KAY, CROW),
}


def written(order: str, cast: str) -> str:
    """All four prompts of the shot, picture and video, English and Korean, as a golden file holds them."""
    facts = replace(SHOT, cast=CASTS[cast])
    prompts = {
        f"{channel}_{language}": compose(
            facts, Reader(channel, "flux"), language=language, order=ORDERS[order]
        ).as_json()
        for channel in ("image", "video")
        for language in ("en", "ko")
    }
    return json.dumps(prompts, ensure_ascii=False, indent=1) + "\n"


def digest() -> str:
    """One hash over everything."""
    whole = "".join(written(order, cast) for order in ORDERS for cast in CASTS)
    return hashlib.sha256(whole.encode()).hexdigest()


if __name__ == "__main__":
    print(digest())  # noqa: T201  # a command
