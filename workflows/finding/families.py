"""Which family of models a graph is of, by its model files and the type its text encoder is loaded as."""

from __future__ import annotations

import re
from typing import Final

from workflows.finding.found import Found

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
    ("sdxl", r"sd_?xl|xl_base|xl_turbo"),
    ("sd15", r"v1-5|sd_?1\.?5|sd15"),
)


def family_of(found: Found) -> str:
    """Return the name of the family ("wan22"); "" if the files do not say."""
    sources = [place.model[0] for place in found.loras]
    names = [model.name.lower() for node in sources for model in found.models if model.node == node]
    for name in names:
        for family, pattern in _FAMILIES:
            if re.search(pattern, name):
                return family
    return ""
