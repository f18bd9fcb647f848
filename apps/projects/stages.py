"""The stages in which a shot is made. A department makes one stage, and its supervisors sign it off."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Stage(models.TextChoices):
    """From plan to picture: each has its takes, and at most one of them is selected for a shot."""

    PREVIZ = "previz", _("previz")
    KEYFRAME = "keyframe", _("keyframe")
    CLIP = "clip", _("clip")
    FINISH = "finish", _("finish")
