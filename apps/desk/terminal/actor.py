"""Who acts at the command line.

Whoever has a shell with the coordinator's settings holds the database and the secret key: he can do all
that the farm can, so he is an operator, under his name on that machine. ``--as`` narrows that to what an
account may do, and the events still name both: nobody borrows another's name.
"""

from __future__ import annotations

import os
import pwd
from typing import Final

from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Problem, Refused
from apps.desk.terminal.finding import did_you_mean

PREFIX: Final = "cli:"
LONGEST: Final = 120
"""What an event has room for."""


def operator() -> User:
    """The person at this terminal. No account is looked up, none is made: the row is never saved."""
    return User(username=f"{PREFIX}{os_user()}"[:LONGEST], is_superuser=True, is_staff=True)


def account(username: str) -> User:
    """Somebody's account, with its permissions, named beside whoever is at this terminal. Raises Refused."""
    user = User.objects.filter(username=username).first()
    if user is None:
        known = User.objects.filter(is_active=True).values_list("username", flat=True)
        raise Refused(Problem("--as", username, _("no such account") + did_you_mean(username, known)))
    if not user.is_active:
        raise Refused(Problem("--as", username, _("this account is switched off")))
    user.username = f"{username} ({PREFIX}{os_user()})"[:LONGEST]
    return user


def os_user() -> str:
    """The name of who runs this process; behind sudo, of who typed it. Environment alone is not believed."""
    uid = os.getuid()
    behind = os.environ.get("SUDO_USER", "")
    if uid == 0 and behind:
        return behind
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # a container's user often has no entry
        return f"uid{uid}"
