"""Users of the farm."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.ids import uuid7


class User(AbstractUser):
    """A person. What they may do in a project is their Membership's role."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    language = models.CharField(
        _("language"), max_length=5, blank=True, choices=[("ko", "한국어"), ("en", "English")], default=""
    )

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
