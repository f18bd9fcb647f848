"""Users of the farm."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.ids import uuid7


class User(AbstractUser):
    """A person. What they may do in a project is their Membership's role.

    ``last_project_id``: the project they turned to last; lists begin with it. ``lists``: how they look at
    which list (accounts.lists).
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    language = models.CharField(
        _("language"), max_length=5, blank=True, choices=[("ko", "한국어"), ("en", "English")], default=""
    )

    last_project_id = models.UUIDField(null=True, blank=True, editable=False)
    lists = models.JSONField(default=dict, blank=True, editable=False)

    _password_withdrawn = False

    def set_unusable_password(self) -> None:
        """Leave no password; for tokens that is a new one."""
        super().set_unusable_password()
        self._password_withdrawn = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save; a new password, or none any more, ends every API token, session and signed address."""
        new_password = getattr(self, "_password", None) is not None  # set_password() left it here
        super().save(*args, **kwargs)
        if new_password or self._password_withdrawn:
            self._password_withdrawn = False
            tokens = apps.get_model("knox", "AuthToken")
            tokens.objects.filter(user=self).delete()

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
