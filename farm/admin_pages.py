"""Django's admin, whose pages are loaded by whoever shows them.

Forms, tables, pictures and films are half of what a process would import at its start; a coordinator, a
ticker and a command need none of them.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core.checks import CheckMessage, Tags, register


class AdminPages(SimpleAdminConfig):
    """The admin without pages, until ``farm.urls`` or a check of them loads them."""

    default_site = "farm.admin_site.Site"

    def ready(self) -> None:
        """Register Django's checks of the admin, for which the pages must be there."""
        register(check_dependencies, Tags.admin)
        register(check_pages, Tags.admin)


def check_pages(**kwargs: Any) -> list[CheckMessage]:
    """Load every app's pages, and let Django look at them."""
    admin.autodiscover()
    return check_admin_app(**kwargs)
