"""How acceptance tests are shared out among pytest-xdist's workers (``--dist loadgroup``).

One test goes to whoever is free. Those that share a farm stay with one worker, which makes that farm once.
pytest-xdist's own groups are written into a test's id, which pytest 9.2 does not take; here the file tells.
"""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Any, Final

import pytest
from xdist.scheduler import LoadScopeScheduling

SHARING: Final = ("test_demo", "test_comfy_adversity", "test_road")
"""Files whose tests share a farm: one, or one for each version of ComfyUI."""
_VERSION = re.compile(r"\[(\d+\.\d+\.\d+)")


class OneByOne(LoadScopeScheduling):  # type: ignore[misc]
    """Hands tests out in their order."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        if PurePath(file).stem not in SHARING:
            return nodeid
        version = _VERSION.search(nodeid)
        return f"{file} {version[1] if version else ''}"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneByOne | None:
    """Share out by the rule above where groups were asked for."""
    return OneByOne(config, log) if config.getvalue("dist") == "loadgroup" else None
