"""The GPU side of the farm: one Celery worker beside one ComfyUI.

``celery -A workers worker`` is enough on a node. It needs no Django and no database, only the broker,
ComfyUI and the artifact store. Importing the package builds nothing, so ``workers.comfy`` and
``workers.comfysim`` can be used by themselves.
"""

from __future__ import annotations

import sys
from pathlib import Path


def __getattr__(name: str) -> object:
    """Build the Celery app when ``celery -A workers`` asks for it, and not before."""
    if name != "celery":
        raise AttributeError(f"module 'workers' has no attribute {name!r}")
    # The celery command has the working directory on the path only while it imports this package.
    root = str(Path(__file__).parents[1])
    if root not in sys.path:
        sys.path.insert(0, root)
    from workers.app import app  # noqa: PLC0415

    return app
