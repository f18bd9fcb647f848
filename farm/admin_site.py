"""The admin's site: Unfold's, which here lists every model only where a page shows that list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite as _AdminSite
else:
    from unfold.sites import UnfoldAdminSite as _AdminSite


class Site(_AdminSite):
    """Pages have a sidebar of their own (farm.unfold_settings)."""

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """Return apps, models and permissions, made when they are read: every page is given this list, and
        making it asks each model's page five times what the person may do."""
        make = super().get_app_list
        return SimpleLazyObject(lambda: make(request, app_label))
