"""Which family of models a graph is of, by its model files and the type its text encoder is loaded as."""

from __future__ import annotations

import re
from typing import Final

from workflows.finding.found import Found, FoundLoraPlace

_FAMILIES: Final = (
    ("wan22", r"wan_?2[._]2"),
    ("wan21", r"wan_?2[._]1|wan21"),
    ("ltx2", r"ltx-?_?2"),
    ("ltxv", r"ltx-?_?v|ltx-video"),
    ("hunyuan15", r"hunyuan_?video_?1[._]?5"),
    ("hunyuan", r"hunyuan_?video"),
    ("qwen_image", r"qwen_?-?image"),
    ("z_image", r"z_?-?image"),
    ("flux2", r"flux-?_?\.?2"),
    ("flux", r"flux"),
    ("sd35", r"sd3\.?5|sd3_"),
    ("sdxl_refiner", r"refiner"),
    ("sdxl", r"sd_?xl|xl_base|xl_turbo"),
    ("sd15", r"v1-5|sd_?1\.?5|sd15"),
)


def family_of(found: Found) -> str:
    """Return the name of the family ("wan22"); "" if the files do not say."""
    return next((family for place in found.loras if (family := _family(found, place))), "")


def places_of(found: Found, family: str) -> tuple[FoundLoraPlace, ...]:
    """The places whose model is of this family; an expert whose file does not say goes with the others."""
    return tuple(
        place
        for place in found.loras
        if (said := _family(found, place)) == family or (not said and place.expert in ("high", "low"))
    )


def _family(found: Found, place: FoundLoraPlace) -> str:
    names = [model.name.lower() for model in found.models if model.node == place.model[0]]
    return next(
        (family for name in names for family, pattern in _FAMILIES if re.search(pattern, name)),
        "",
    )
