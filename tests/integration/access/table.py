"""What everybody gets at every address: the declared table. An address that is not here fails the test.

A profile is one line per film: the status for each of world.PEOPLE in their order (anonymous, visitor,
outsider, client, viewer, artist, elsewhere, supervisor, coordinator, admin, superuser), for a row of their
film and, after the bar, for a row of the other film. Where there is one line, the address is about no row of
a film.
"""

from __future__ import annotations

from typing import Any, Final

from tests.integration.access import preset_table
from tests.integration.access.world import NIGHTS

_LOGIN: Final = "302 302 302 302 302 302 302 302 302 302 302"

PROFILES: Final[dict[str, str]] = {
    # pages of the admin that are about no film
    "open to all": "200 200 200 200 200 200 200 200 200 200 200",
    "nothing marked": "404 404 404 404 404 404 404 404 404 404 404",
    "no broker in this test": "503 503 503 503 503 503 503 503 503 503 503",
    "leads on": _LOGIN,
    "leads on from a row": f"{_LOGIN} | {_LOGIN}",
    "the login page": "200 200 302 302 302 302 302 302 302 302 302",
    "whoever is logged in": "302 200 200 200 200 200 200 200 200 200 200",
    "staff": "302 302 200 200 200 200 200 200 200 200 200",
    "staff, nothing lives": "302 302 286 286 286 286 286 286 286 286 286",
    "staff, back to the list": "302 302 302 302 302 302 302 302 302 302 302",
    "members": "302 302 403 403 200 200 200 200 200 200 200",
    "members, to a list": "302 302 403 403 302 302 302 302 302 302 302",
    "members of any film": (
        "302 302 403 403 200 200 200 200 200 200 200 | 302 302 403 403 200 200 200 200 200 200 200"
    ),
    "members, app": (
        "302 302 404 404 200 200 200 200 200 200 200 | 302 302 404 404 200 200 200 200 200 200 200"
    ),
    "planners": "302 302 403 403 403 403 403 403 200 200 200",
    "renderers": "302 302 403 403 200 200 200 200 200 200 200 | 302 302 403 403 200 200 200 200 200 200 200",
    "renderers, a deed": (
        "302 302 403 403 302 302 302 302 302 302 302 | 302 302 403 403 302 302 302 302 302 302 302"
    ),
    "managers": "302 302 403 403 403 403 403 403 403 200 200",
    "farm rights": "302 302 403 403 403 403 403 403 403 403 200",
    "farm rights, a row": (
        "302 302 403 403 403 403 403 403 403 403 200 | 302 302 403 403 403 403 403 403 403 403 200"
    ),
    "farm rights, a deed": (
        "302 302 403 403 403 403 403 403 403 403 302 | 302 302 403 403 403 403 403 403 403 403 302"
    ),
    "farm rights, a press": "302 302 403 403 403 403 403 403 403 403 302",
    "nobody": "302 302 403 403 403 403 403 403 403 403 403",
    "nobody, a row": (
        "302 302 403 403 403 403 403 403 403 403 403 | 302 302 403 403 403 403 403 403 403 403 403"
    ),
    "nothing here": (
        "302 302 404 404 404 404 404 404 404 404 404 | 302 302 404 404 404 404 404 404 404 404 404"
    ),
    "staff, wrong method": "302 302 405 405 405 405 405 405 405 405 405",
    "staff, wrong method, a row": (
        "302 302 405 405 405 405 405 405 405 405 405 | 302 302 405 405 405 405 405 405 405 405 405"
    ),
    "wrong method": "405 405 405 405 405 405 405 405 405 405 405",
    "wrong method, a row": (
        "405 405 405 405 405 405 405 405 405 405 405 | 405 405 405 405 405 405 405 405 405 405 405"
    ),
    # pages of one row of a film: what is not there leads back to the home page, as for a row that never was
    "read a row": "302 302 403 403 200 200 200 200 200 200 200 | 302 302 403 403 302 302 302 302 302 302 200",
    "read its history": (
        "302 302 302 302 200 200 200 200 200 200 200 | 302 302 302 302 302 302 302 302 302 302 200"
    ),
    "plan a row": "302 302 403 403 403 403 403 403 200 200 200 | 302 302 403 403 302 302 302 302 302 302 200",
    "save a file of a shot": (
        "302 302 403 403 403 302 403 403 302 302 302 | 302 302 403 403 302 302 302 302 302 302 302"
    ),
    "plan a shot": (
        "302 302 403 403 403 200 403 403 200 200 200 | 302 302 403 403 302 302 302 302 302 302 200"
    ),
    "manage a row": (
        "302 302 403 403 403 403 403 403 403 200 200 | 302 302 403 403 403 403 403 403 403 302 200"
    ),
    "open Render": (
        "302 302 302 302 403 200 200 200 200 200 200 | 302 302 302 302 302 302 302 302 302 302 200"
    ),
    # buttons
    "edit a shot": (
        "302 302 404 404 403 200 403 403 200 200 200 | 302 302 404 404 404 404 404 404 404 404 200"
    ),
    "plan a sequence": "302 302 404 404 403 403 403 403 200 200 200",
    "look at lists": "302 302 403 403 302 302 302 302 302 302 302",
    "press a button": (
        "302 302 404 404 403 302 403 403 302 302 302 | 302 302 404 404 404 404 404 404 404 404 302"
    ),
    "press a button of a stage": (
        "302 302 404 404 403 302 403 302 302 302 302 | 302 302 404 404 404 404 404 404 404 404 302"
    ),
    "press a run's button": (
        "302 302 404 404 403 302 302 302 302 302 302 | 302 302 404 404 404 404 404 404 404 404 302"
    ),
    "press a button, not of this": (
        "302 302 404 404 403 403 403 403 404 404 404 | 302 302 404 404 404 404 404 404 404 404 404"
    ),
    "manage by a button": (
        "302 302 404 404 403 403 403 403 403 302 302 | 302 302 404 404 404 404 404 404 404 404 302"
    ),
    "read by a button": (
        "302 302 404 404 200 200 200 200 200 200 200 | 302 302 404 404 404 404 404 404 404 404 200"
    ),
    "manage on a page": (
        "302 302 404 404 403 403 403 403 403 200 200 | 302 302 404 404 404 404 404 404 404 404 200"
    ),
    "plan on a page": (
        "302 302 404 404 403 403 403 403 200 200 200 | 302 302 404 404 404 404 404 404 404 404 200"
    ),
    "plan on a page, at rest": (
        "302 302 404 404 403 403 403 403 286 286 286 | 302 302 404 404 404 404 404 404 404 404 286"
    ),
    "plan by a button": (
        "302 302 404 404 403 403 403 403 302 302 302 | 302 302 404 404 404 404 404 404 404 404 302"
    ),
    "read by a button, at rest": (
        "302 302 404 404 286 286 286 286 286 286 286 | 302 302 404 404 404 404 404 404 404 404 286"
    ),
    "whole planners": "302 302 403 403 403 403 403 403 200 200 200",
    "whole plan a row": (
        "302 302 403 403 403 403 403 403 200 200 200 | 302 302 403 403 302 302 302 302 302 302 200"
    ),
    "whole planners, back": "302 302 403 403 403 403 403 403 302 302 302",
    "turn to a film": "302 302 404 404 302 302 302 302 302 302 302",
    "give a verdict": (
        "302 302 404 404 403 403 403 302 302 302 302 | 302 302 404 404 404 404 404 404 404 404 302"
    ),
    "choose in a run": (
        "302 302 404 404 403 403 302 302 302 302 302 | 302 302 404 404 404 404 404 404 404 404 302"
    ),
    "watchers": "302 302 403 200 200 200 200 200 200 200 200",
    "watch its history": (
        "302 302 302 200 200 200 200 200 200 200 200 | 302 302 302 302 302 302 302 302 302 302 200"
    ),
    "give a take its verdict": (
        "302 302 404 404 403 403 403 302 302 302 302 | 302 302 404 404 404 404 404 404 404 404 302"
    ),
    "press a take's button": (
        "302 302 404 404 403 302 403 302 302 302 302 | 302 302 404 404 404 404 404 404 404 404 302"
    ),
    "reviewers": "302 302 403 403 403 403 403 403 200 200 200",
    "review a row": (
        "302 302 403 403 403 403 403 403 200 200 200 | 302 302 403 403 403 403 302 302 302 302 200"
    ),
    "watch a row": (
        "302 302 403 200 200 200 200 200 200 200 200 | 302 302 403 302 302 302 302 302 302 302 200"
    ),
    "look at a row": (
        "302 302 404 404 200 200 200 200 200 200 200 | 302 302 404 404 404 404 404 404 404 404 200"
    ),
    "watch by a button": (
        "302 302 404 200 200 200 200 200 200 200 200 | 302 302 404 404 404 404 404 404 404 404 200"
    ),
    "make dailies": (
        "302 302 404 404 403 403 403 403 302 302 302 | 302 302 404 404 404 404 404 404 404 404 302"
    ),
    "review by a button": (
        "302 302 404 403 403 403 403 403 302 302 302 | 302 302 404 404 404 404 404 404 404 404 302"
    ),
    "give verdicts": (
        "302 302 403 403 403 403 302 302 302 302 302 | 302 302 403 403 403 403 302 302 302 302 302"
    ),
    "delete": "302 302 403 403 403 403 403 403 403 302 302 | 302 302 403 403 403 403 403 403 403 302 302",
    # what belongs to one person (root), or to a channel of the film (its admins, and root)
    "one's own": "302 302 302 302 302 302 302 302 302 302 200 | 302 302 302 302 302 302 302 302 302 302 302",
    "one's own, never changed": (
        "302 302 403 403 403 403 403 403 403 403 403 | 302 302 403 403 403 403 403 403 403 403 403"
    ),
    "a channel's": (
        "302 302 302 302 302 302 302 302 302 200 200 | 302 302 302 302 302 302 302 302 302 302 200"
    ),
    "mark one's own": (
        "302 302 404 404 404 404 404 404 404 404 302 | 302 302 404 404 404 404 404 404 404 404 404"
    ),
    "press a channel's button": (
        "302 302 404 404 404 404 404 404 404 302 302 | 302 302 404 404 404 404 404 404 404 404 302"
    ),
    # files: an address without a signature shows nothing to anybody
    "signed by an attempt": (
        "401 401 401 401 401 401 401 401 401 401 401 | 401 401 401 401 401 401 401 401 401 401 401"
    ),
    "unsigned": "403 403 403 403 403 403 403 403 403 403 403 | 403 403 403 403 403 403 403 403 403 403 403",
    # a client link: whoever was given it; nothing before they say who they are
    "a door": ("200 200 200 200 200 200 200 200 200 200 200 | 200 200 200 200 200 200 200 200 200 200 200"),
    "a name is wanted": (
        "400 400 400 400 400 400 400 400 400 400 400 | 400 400 400 400 400 400 400 400 400 400 400"
    ),
    "for guests": (
        "403 403 403 403 403 403 403 403 403 403 403 | 403 403 403 403 403 403 403 403 403 403 403"
    ),
    # the API
    "api: one's own": (
        "401 404 404 404 404 404 404 404 404 404 200 | 401 404 404 404 404 404 404 404 404 404 404"
    ),
    "api: a channel's": (
        "401 404 404 404 404 404 404 404 404 200 200 | 401 404 404 404 404 404 404 404 404 404 200"
    ),
    "api: test a channel": (
        "401 404 404 404 404 404 404 404 404 202 202 | 401 404 404 404 404 404 404 404 404 404 202"
    ),
    "api: end a channel": (
        "401 404 404 404 404 404 404 404 404 204 204 | 401 404 404 404 404 404 404 404 404 404 204"
    ),
    "api: make one's own": "401 403 403 403 201 201 201 201 201 201 201",
    "api: whoever is logged in": "401 200 200 200 200 200 200 200 200 200 200",
    "api: members": "401 403 200 403 200 200 200 200 200 200 200",
    "api: members of any film": (
        "401 403 200 403 200 200 200 200 200 200 200 | 401 403 200 403 200 200 200 200 200 200 200"
    ),
    "api: read a row": (
        "401 404 404 404 200 200 200 200 200 200 200 | 401 404 404 404 404 404 404 404 404 404 200"
    ),
    "api: read a row, asked wrongly": (
        "401 404 404 404 400 400 400 400 400 400 400 | 401 404 404 404 404 404 404 404 404 404 400"
    ),
    "api: change a row": (
        "401 404 404 404 403 200 403 403 200 200 200 | 401 404 404 404 404 404 404 404 404 404 200"
    ),
    "api: publish": (  # the other film's codes make no path
        "401 404 404 404 403 200 403 403 200 200 200 | 401 404 404 404 404 404 404 404 404 404 400"
    ),
    "api: change a row of a stage": (
        "401 404 404 404 403 200 403 200 200 200 200 | 401 404 404 404 404 404 404 404 404 404 200"
    ),
    "api: manage a row": (
        "401 404 404 404 403 403 403 403 403 200 200 | 401 404 404 404 404 404 404 404 404 404 200"
    ),
    "api: let in": (
        "401 404 404 404 403 403 403 403 403 201 201 | 401 404 404 404 404 404 404 404 404 404 201"
    ),
    "api: take out": (
        "401 404 404 404 403 403 403 403 403 204 204 | 401 404 404 404 404 404 404 404 404 404 204"
    ),
    "api: plan a whole film": (
        "401 404 404 404 403 403 403 403 200 200 200 | 401 404 404 404 404 404 404 404 404 404 200"
    ),
    "api: manage a row, told too little": (
        "401 404 404 404 403 403 403 403 403 400 400 | 401 404 404 404 404 404 404 404 404 404 400"
    ),
    "api: ask for the whole film": (
        "401 404 404 404 403 403 403 403 202 202 202 | 401 404 404 404 404 404 404 404 404 404 202"
    ),
    "api: fetch the whole film": (
        "401 404 404 404 404 404 404 404 200 200 200 | 401 404 404 404 404 404 404 404 404 404 200"
    ),
    "api: bring a list": (
        "401 404 404 404 403 403 403 403 400 400 400 | 401 404 404 404 404 404 404 404 404 404 400"
    ),
    "api: plan a whole film, not now": (
        "401 404 404 404 403 403 403 403 409 409 409 | 401 404 404 404 404 404 404 404 404 404 409"
    ),
    "api: verdict": (
        "401 404 404 404 403 403 403 200 200 200 200 | 401 404 404 404 404 404 404 404 404 404 200"
    ),
    "api: a take's verdict": (
        "401 404 404 404 403 403 403 200 200 200 200 | 401 404 404 404 404 404 404 404 404 404 200"
    ),
    "api: change a take": (
        "401 404 404 404 403 200 403 200 200 200 200 | 401 404 404 404 404 404 404 404 404 404 200"
    ),
    "api: make of a take": (
        "401 404 404 404 403 201 403 201 201 201 201 | 401 404 404 404 404 404 404 404 404 404 201"
    ),
    "api: watch a row": (
        "401 404 404 200 200 200 200 200 200 200 200 | 401 404 404 404 404 404 404 404 404 404 200"
    ),
    "api: watch a row, asked wrongly": (
        "401 404 404 400 400 400 400 400 400 400 400 | 401 404 404 404 404 404 404 404 404 404 400"
    ),
    "api: say in a film": (
        "401 400 400 201 403 201 403 201 201 201 201 | 401 400 400 400 400 400 400 400 400 400 201"
    ),
    "api: one's own note": (
        "401 404 404 403 403 403 403 403 403 403 200 | 401 404 404 404 404 404 404 404 404 404 200"
    ),
    "api: end a note": (
        "401 404 404 403 403 403 403 403 403 204 204 | 401 404 404 404 404 404 404 404 404 404 204"
    ),
    "api: resolve": (
        "401 404 404 403 403 200 403 200 200 200 200 | 401 404 404 404 404 404 404 404 404 404 200"
    ),
    "api: verdict on what is shared": (
        "401 404 404 403 403 403 403 403 200 200 200 | 401 404 404 404 404 404 404 404 404 404 200"
    ),
    "api: make for review": (
        "401 400 400 400 403 403 403 403 201 201 201 | 401 400 400 400 400 400 400 400 400 400 201"
    ),
    "api: do for review": (
        "401 400 400 400 403 403 403 403 200 200 200 | 401 400 400 400 400 400 400 400 400 400 200"
    ),
    "api: give verdicts": (
        "401 400 400 400 403 403 200 200 200 200 200 | 401 400 400 400 400 400 400 400 400 400 200"
    ),
    "api: make of it for review": (
        "401 404 404 403 403 403 403 403 201 201 201 | 401 404 404 404 404 404 404 404 404 404 201"
    ),
    "api: end for review": (
        "401 404 404 403 403 403 403 403 204 204 204 | 401 404 404 404 404 404 404 404 404 404 204"
    ),
    "api: make in a film": (
        "401 400 400 400 403 403 403 403 201 201 201 | 401 400 400 400 400 400 400 400 400 400 201"
    ),
    "api: render in a film": (
        "401 400 400 400 403 201 403 201 201 201 201 | 401 400 400 400 400 400 400 400 400 400 201"
    ),
    "api: start in a film": (
        "401 400 400 400 403 201 403 403 201 201 201 | 401 400 400 400 400 400 400 400 400 400 201"
    ),
    "api: make in a managed film": (
        "401 400 400 400 403 403 403 403 403 201 201 | 401 400 400 400 400 400 400 400 400 400 201"
    ),
    "api: end a managed row": (
        "401 404 404 404 403 403 403 403 403 204 204 | 401 404 404 404 404 404 404 404 404 404 204"
    ),
    "api: plan in a film": (
        "401 400 400 400 200 200 200 200 200 200 200 | 401 400 400 400 400 400 400 400 400 400 200"
    ),
    "api: change jobs": (
        "401 400 400 400 403 200 403 200 200 200 200 | 401 400 400 400 400 400 400 400 400 400 200"
    ),
    "api: farm rights": (
        "401 403 403 403 403 403 403 403 403 403 200 | 401 403 403 403 403 403 403 403 403 403 200"
    ),
    "api: farm rights, made": "401 403 403 403 403 403 403 403 403 403 201",
    "api: farm rights, gone": (
        "401 403 403 403 403 403 403 403 403 403 204 | 401 403 403 403 403 403 403 403 403 403 204"
    ),
    "api: farm rights, in the way": (
        "401 403 403 403 403 403 403 403 403 403 400 | 401 403 403 403 403 403 403 403 403 403 400"
    ),
    "api: change a row, nothing to do": (  # what is stale behind it is other shots: no artist's
        "401 404 404 404 403 403 403 403 400 400 400 | 401 404 404 404 404 404 404 404 404 404 400"
    ),
    "api: change a row, not now": (
        "401 404 404 404 403 409 403 409 409 409 409 | 401 404 404 404 404 404 404 404 404 404 409"
    ),
    "api: farm rights, in use": (
        "401 403 403 403 403 403 403 403 403 403 409 | 401 403 403 403 403 403 403 403 403 403 409"
    ),
    "compare": "302 302 403 403 302 302 302 302 302 302 302 | 302 302 403 403 302 302 302 302 302 302 302",
    "api: bring a file to a row": (
        "401 404 404 404 403 415 403 403 415 415 415 | 401 404 404 404 404 404 404 404 404 404 415"
    ),
    "api: bring a file to a film": (
        "401 404 404 404 403 403 403 403 415 415 415 | 401 404 404 404 404 404 404 404 404 404 415"
    ),
    "api: end a row": (
        "401 404 404 404 403 204 403 403 204 204 204 | 401 404 404 404 404 404 404 404 404 404 204"
    ),
    "api: make of a row": (
        "401 404 404 404 403 201 403 201 201 201 201 | 401 404 404 404 404 404 404 404 404 404 201"
    ),
    "api: members, asked wrongly": (
        "401 403 400 403 400 400 400 400 400 400 400 | 401 403 400 403 400 400 400 400 400 400 400"
    ),
    "api: farm rights, a file": "401 403 403 403 403 403 403 403 403 403 415",
    "api: plan anew in a film": (
        "401 400 400 400 403 403 403 403 201 201 201 | 401 400 400 400 400 400 400 400 400 400 201"
    ),
    "api: plan shots of a film": (
        "401 400 400 400 403 200 403 403 200 200 200 | 401 400 400 400 400 400 400 400 400 400 200"
    ),
    "api: plan all of a film": (
        "401 400 400 400 403 403 403 403 200 200 200 | 401 400 400 400 400 400 400 400 400 400 200"
    ),
    "api: manage a row, in the way": (
        "401 404 404 404 403 403 403 403 403 400 400 | 401 404 404 404 404 404 404 404 404 404 400"
    ),
    "api: members, a row of a film": (
        "401 403 404 403 200 200 200 200 200 200 200 | 401 403 404 403 404 404 404 404 404 404 200"
    ),
    "api: undo a bulk change": (
        "401 403 404 403 403 403 403 403 403 200 200 | 401 403 404 403 404 404 404 404 404 404 200"
    ),
    "api: bring back": (
        "401 403 404 403 403 403 403 403 400 400 400 | 401 403 404 403 404 404 404 404 404 404 400"
    ),
    "api: not of this": (
        "401 404 404 404 404 404 404 404 404 404 404 | 401 404 404 404 404 404 404 404 404 404 404"
    ),
    "api: with a token only": "401 401 401 401 401 401 401 401 401 401 401",
    **preset_table.PROFILES,
}

_OF_FILMS: Final = {  # model: (who adds, who changes, who deletes)
    "projects/project": ("farm rights", "manage a row", "manage a row"),
    "presets/presetoverride": ("planners", "plan a row", "manage a row"),
    "productions/episode": ("planners", "plan a row", "manage a row"),
    "productions/sequence": ("planners", "plan a row", "manage a row"),
    "productions/shot": ("planners", "plan a shot", "manage a row"),
    "productions/location": ("planners", "plan a row", "manage a row"),
    "productions/automation": ("managers", "manage a row", "manage a row"),
    "characters/character": ("planners", "plan a row", "manage a row"),
    "materials/material": ("nobody", "plan a shot", "plan a shot"),
    "sheets/importbatch": ("whole planners", "whole plan a row", "nobody, a row"),
    "ledger/activity": ("nobody", "nobody, a row", "nobody, a row"),
    "ledger/batch": ("nobody", "nobody, a row", "nobody, a row"),
    "renders/renderbatch": ("nobody", "nobody, a row", "nobody, a row"),
    "renders/job": ("nobody", "nobody, a row", "nobody, a row"),
    "recipes/reciperun": ("nobody", "nobody, a row", "nobody, a row"),
    "review/take": ("nobody", "nobody, a row", "nobody, a row"),
    "common/stateevent": ("nobody", "nobody, a row", "nobody, a row"),
}
_OF_THE_FARM: Final = {
    "folders/pathtemplate": ("farm rights", "farm rights, a row", "nobody, a row"),
    "folders/mount": ("farm rights", "farm rights, a row", "farm rights, a row"),
    **dict.fromkeys(
        ("presets/presetcategory", "presets/cinematicpreset", "presets/look", "presets/presetrule"),
        ("planners", "farm rights, a row", "nobody, a row"),
    ),
    "productions/shotstatus": ("farm rights", "farm rights, a row", "nobody, a row"),
    "workflows/workflowtemplate": ("nobody", "farm rights, a row", "nobody, a row"),
    "workflows/workflowtemplateversion": ("nobody", "nobody, a row", "nobody, a row"),
    "recipes/recipe": ("farm rights", "farm rights, a row", "nobody, a row"),
    "workflows/workflowimport": ("farm rights", "farm rights, a row", "nobody, a row"),
    "nodes/node": ("nobody", "nobody, a row", "farm rights, a row"),
    "nodes/pool": ("farm rights", "farm rights, a row", "farm rights, a row"),
    "nodes/schedule": ("farm rights", "farm rights, a row", "farm rights, a row"),
    "renders/nodeblock": ("nobody", "nobody, a row", "nobody, a row"),
    "renders/failurerule": ("farm rights", "farm rights, a row", "nobody, a row"),
    "workflows/recommendationrule": ("farm rights", "farm rights, a row", "farm rights, a row"),
    "renders/need": ("nobody", "nobody, a row", "nobody, a row"),
    "renders/hold": ("nobody", "nobody, a row", "nobody, a row"),
    "renders/limit": ("farm rights", "farm rights, a row", "farm rights, a row"),
}


_FARM_LISTS: Final = (
    "blocks",
    "imports",
    "limits",
    "nodes",
    "pools",
    "recipes",
    "schedules",
    "statuses",
    "templates",
)


_HISTORIED: Final = ("shots", "episodes", "sequences", "locations", "characters", "materials")
_REMEMBERED: Final = (
    "characters/character",
    "presets/cinematicpreset",
    "presets/look",
    "presets/presetcategory",
    "presets/presetoverride",
    "presets/presetrule",
    "productions/automation",
    "productions/episode",
    "productions/location",
    "productions/sequence",
    "productions/shot",
    "productions/shotstatus",
    "projects/project",
    "review/playlist",
    "materials/material",
    "nodes/node",
    "nodes/pool",
    "nodes/schedule",
    "renders/limit",
    "folders/mount",
    "recipes/recipe",
    "workflows/workflowtemplate",
    "workflows/workflowimport",
    "notices/subscription",
    "sheets/importbatch",
)


def _pages(model: str, *, lists: str, read: str, history: str, acts: tuple[str, str, str]) -> dict[str, str]:
    """A model's standard pages."""
    add, change, delete = acts
    at = f"admin/{model}/"
    rows = {f"{verb} {at}": lists for verb in ("GET", "POST")}
    rows |= {f"{verb} {at}add/": add for verb in ("GET", "POST")}
    rows |= {f"{verb} {at}{{object_id}}/history/": history for verb in ("GET", "POST")}
    rows |= {f"{verb} {at}{{object_id}}/delete/": delete for verb in ("GET", "POST")}
    rows[f"GET {at}{{object_id}}/"] = "leads on from a row"
    rows |= {f"GET {at}{{object_id}}/change/": read, f"POST {at}{{object_id}}/change/": change}
    return rows


def _button(address: str, press: str) -> dict[str, str]:
    return {f"POST admin/{address}/": press, f"GET admin/{address}/": "staff, wrong method, a row"}


def _both(address: str, profile: str) -> dict[str, str]:
    return {f"{verb} {address}": profile for verb in ("GET", "POST")}


EXPECTED: Final[dict[str, str]] = {
    "GET events": "api: whoever is logged in",
    "GET ": "leads on",
    "GET favicon.ico": "leads on",
    "GET healthz": "open to all",
    "POST healthz": "wrong method",
    "GET readyz": "no broker in this test",
    "POST readyz": "wrong method",
    **_both("i18n/setlang/", "leads on"),
    **{
        address: profile
        for at in (
            "media/{artifact_id}/",
            "media/reference/{reference_id}/",
            "media/project/{project_id}/",
            "media/material/{material_id}/{part}/",
            "media/archive/{archive_id}/",
        )
        for address, profile in {f"GET {at}": "unsigned", f"POST {at}": "wrong method, a row"}.items()
    },
    # files of nodes that share no disk: only the key of the attempt opens them
    "GET store/v1/marker": "nothing marked",
    "POST store/v1/marker": "wrong method",
    **{
        f"{verb} store/v1/{{attempt_id}}/{what}": "signed by an attempt"
        for verb, what in (
            ("GET", "input"),
            ("GET", "files/{name}"),
            ("PUT", "files/{name}"),
            ("POST", "files/{name}"),
        )
    },
    # the admin's own pages
    "GET admin/login/": "the login page",
    "POST admin/login/": "open to all",
    "GET admin/logout/": "staff, wrong method",
    "POST admin/logout/": "staff",
    **_both("admin/", "staff"),
    **_both("admin/search/", "staff"),
    **_both("admin/password_change/", "staff"),
    "GET admin/password_change/done/": "staff",
    "POST admin/password_change/done/": "staff, wrong method",
    "GET admin/jsi18n/": "staff",
    "POST admin/jsi18n/": "staff, wrong method",
    "GET admin/autocomplete/": "nobody",
    "POST admin/autocomplete/": "staff, wrong method",
    **_both("admin/r/{content_type_id}/{object_id}/", "nothing here"),
    **_both("admin/{url}", "nothing here"),
    **_both("admin/{app_label}/", "members, app"),
    # the desk
    "GET admin/desk/farm/": "members",
    "POST admin/desk/farm/": "staff, wrong method",
    "GET admin/desk/farm/live/": "members",
    "POST admin/desk/farm/live/": "staff, wrong method",
    **{f"GET admin/desk/models/{what}": "members" for what in ("", "list/")},
    **{f"POST admin/desk/models/{what}": "staff, wrong method" for what in ("", "list/")},
    "GET admin/desk/home/live/": "staff",
    "POST admin/desk/home/live/": "staff, wrong method",
    "GET admin/desk/unread/": "staff",
    "POST admin/desk/unread/": "staff, wrong method",
    "GET admin/desk/live/": "staff, nothing lives",
    "POST admin/desk/live/": "staff, wrong method",
    # every model
    **{
        address: profile
        for model, acts in _OF_FILMS.items()
        for address, profile in _pages(
            model, lists="members", read="read a row", history="read its history", acts=acts
        ).items()
    },
    **{
        address: profile
        for model, acts in _OF_THE_FARM.items()
        for address, profile in _pages(
            model, lists="members", read="members of any film", history="members of any film", acts=acts
        ).items()
    },
    **_pages(
        "accounts/user",
        lists="farm rights",
        read="farm rights, a row",
        history="farm rights, a row",
        acts=("farm rights", "farm rights, a row", "farm rights, a row"),
    ),
    **_both("admin/accounts/user/{id}/password/", "farm rights, a row"),
    **_pages(
        "notices/notice",
        lists="staff",
        read="one's own",
        history="one's own",
        acts=("nobody", "one's own, never changed", "one's own, never changed"),
    ),
    **_pages(
        "notices/subscription",
        lists="staff",
        read="a channel's",
        history="a channel's",
        acts=("members", "a channel's", "a channel's"),
    ),
    **_pages(
        "notices/delivery",
        lists="staff",
        read="a channel's",
        history="a channel's",
        acts=("nobody", "one's own, never changed", "one's own, never changed"),
    ),
    # history: the activity of this world is the shot's
    **{
        address: profile
        for model in _REMEMBERED
        for address, profile in _button(
            f"{model}/{{object_id}}/history/{{activity_id}}/restore",
            "press a button" if model == "productions/shot" else "nothing here",
        ).items()
    },
    **_button("ledger/batch/{object_id}/undo", "manage by a button"),
    **_button("ledger/activity/{object_id}/restore", "plan by a button"),
    # buttons
    **_both("admin/productions/shot/{object_id}/render/", "open Render"),
    **_both("admin/productions/shot/render/", "staff, back to the list"),
    **_both("admin/productions/shot/{object_id}/recipe/", "open Render"),
    **_both("admin/productions/shot/recipe/", "staff, back to the list"),
    **{
        address: profile
        for deed in ("changed", "more", "cancel", "cancel-stale", "resume")
        for address, profile in _button(
            f"recipes/reciperun/{{object_id}}/{deed}", "press a run's button"
        ).items()
    },
    **_button("recipes/reciperun/{object_id}/choose", "choose in a run"),
    **_button("productions/shot/{object_id}/status", "press a button"),
    "GET admin/productions/shot/{object_id}/cell/": "edit a shot",
    "POST admin/productions/shot/{object_id}/cell/": "edit a shot",
    "GET admin/productions/shot/{object_id}/choices/": "edit a shot",
    "POST admin/productions/shot/{object_id}/choices/": "staff, wrong method, a row",
    "GET admin/productions/shot/reorder/": "staff, wrong method",
    "POST admin/productions/shot/reorder/": "plan a sequence",
    "GET admin/productions/shot/look/": "staff, wrong method",
    "POST admin/productions/shot/look/": "look at lists",
    **_button("productions/shot/{object_id}/lock", "press a button"),
    **_button("productions/shot/{object_id}/unlock", "press a button"),
    # material: of the shot is the one there is
    **{
        address: profile
        for model in ("productions/shot", "productions/sequence", "projects/project")
        for address, profile in {
            **_button(
                f"{model}/{{object_id}}/material",
                "press a button" if model == "productions/shot" else "plan by a button",
            ),
        }.items()
    },
    **_button("productions/shot/{object_id}/recommendation", "press a button"),
    # prompts
    **{
        address: profile
        for page in ("prompt", "prompt/compare", "prompt/{build_id}")
        for address, profile in {
            f"GET admin/productions/shot/{{object_id}}/{page}/": "read by a button",
            f"POST admin/productions/shot/{{object_id}}/{page}/": "staff, wrong method, a row",
        }.items()
    },
    **_button("productions/shot/{object_id}/prompt/keep", "press a button"),
    **_button("productions/shot/{object_id}/prompt/drop", "press a button"),
    "GET admin/projects/project/{object_id}/composer/": "read by a button",
    "POST admin/projects/project/{object_id}/composer/": "manage on a page",
    **_button("renders/job/{object_id}/cancel", "press a button"),
    **_button("renders/job/{object_id}/pause", "press a button"),
    **_button("renders/job/{object_id}/priority", "press a button"),
    **_button("renders/job/{object_id}/requeue", "press a button"),
    **_button("renders/job/{object_id}/steer", "press a button"),
    **_button("renders/renderbatch/{object_id}/cancel", "press a button"),
    **_button("renders/renderbatch/{object_id}/pause", "press a button"),
    **_button("renders/renderbatch/{object_id}/requeue", "press a button"),
    **_button("renders/job/{object_id}/cancel", "press a button of a stage"),
    **_button("renders/job/{object_id}/pause", "press a button of a stage"),
    **_button("renders/job/{object_id}/priority", "press a button of a stage"),
    **_button("renders/job/{object_id}/requeue", "press a button of a stage"),
    **_button("renders/job/{object_id}/steer", "press a button of a stage"),
    **_button("renders/renderbatch/{object_id}/cancel", "press a button of a stage"),
    **_button("renders/renderbatch/{object_id}/pause", "press a button of a stage"),
    **_button("renders/renderbatch/{object_id}/requeue", "press a button of a stage"),
    **_button("renders/need/{object_id}/forget", "farm rights, a deed"),
    "GET admin/nodes/node/{object_id}/requeue/": "renderers",
    "POST admin/nodes/node/{object_id}/requeue/": "renderers, a deed",
    "GET admin/renders/failurerule/try/": "members",
    "POST admin/renders/failurerule/try/": "members",
    **_button("renders/renderbatch/{object_id}/steer", "press a button of a stage"),
    **_button("projects/project/{object_id}/pause", "manage by a button"),
    **_button("projects/project/{object_id}/cover", "manage by a button"),
    "GET admin/projects/project/{object_id}/folders/": "read by a button",
    "POST admin/projects/project/{object_id}/folders/": "staff, wrong method, a row",
    **_button("projects/project/{object_id}/folders/confirm", "plan by a button"),
    **_button("projects/project/{object_id}/folders/layout", "manage by a button"),
    "GET admin/projects/project/{object_id}/archives/": "plan on a page",
    "POST admin/projects/project/{object_id}/archives/": "staff, wrong method, a row",
    "GET admin/projects/project/{object_id}/archives/live/": "plan on a page, at rest",
    "POST admin/projects/project/{object_id}/archives/live/": "staff, wrong method, a row",
    **_button("projects/project/{object_id}/archives/ask", "plan by a button"),
    **_button("projects/project/{object_id}/archives/discard", "plan by a button"),
    "GET admin/projects/project/{object_id}/rights/": "read by a button",
    "POST admin/projects/project/{object_id}/rights/": "staff, wrong method, a row",
    "GET admin/projects/project/choices/": "staff",
    "POST admin/projects/project/choices/": "staff, wrong method",
    "GET admin/projects/project/choose/": "staff, wrong method",
    "POST admin/projects/project/choose/": "turn to a film",
    **_button("productions/shot/{object_id}/assignees", "plan by a button"),
    **{
        address: profile
        for deed in ("mapping", "options", "again", "confirm", "undo", "discard")
        for address, profile in _button(
            f"sheets/importbatch/{{object_id}}/{deed}", "plan by a button"
        ).items()
    },
    "GET admin/sheets/importbatch/{object_id}/live/": "read by a button, at rest",
    "GET admin/sheets/importbatch/{object_id}/report/": "read by a button",
    "GET admin/sheets/importbatch/export/": "whole planners, back",
    **{
        f"POST admin/sheets/importbatch/{{object_id}}/{what}/": "staff, wrong method, a row"
        for what in ("live", "report")
    },
    "POST admin/sheets/importbatch/export/": "staff, wrong method",
    "POST admin/renders/hold/set/": "farm rights, a press",
    "GET admin/renders/hold/set/": "staff, wrong method",
    **_button("review/take/{object_id}/review", "give a verdict"),
    **_button("review/take/{object_id}/again", "press a button"),
    **_button("review/take/{object_id}/publish", "press a button"),
    **_button("review/take/{object_id}/review", "give a take its verdict"),
    **_button("review/take/{object_id}/again", "press a take's button"),
    **_button("review/take/{object_id}/select", "give a take its verdict"),
    "GET admin/review/take/{object_id}/context/": "look at a row",
    "POST admin/review/take/{object_id}/context/": "staff, wrong method, a row",
    "GET admin/review/take/compare/": "compare",
    "POST admin/review/take/compare/": "staff, wrong method",
    "GET admin/review/take/verdict/": "staff, back to the list",
    "POST admin/review/take/verdict/": "give verdicts",
    "GET admin/review/playlist/dailies/": "staff, back to the list",
    "POST admin/review/playlist/dailies/": "make dailies",
    **_both("admin/review/playlist/of-shots/", "staff, back to the list"),
    **_button("review/playlist/{object_id}/do", "review by a button"),
    **_both("admin/review/playlist/{object_id}/notes/", "watch by a button"),
    **_pages(
        "review/playlist",
        lists="watchers",
        read="watch a row",
        history="watch its history",
        acts=("reviewers", "review a row", "review a row"),
    ),
    "GET client/file/{artifact_id}/": "unsigned",
    "POST client/file/{artifact_id}/": "wrong method, a row",
    "GET client/{token}/": "a door",
    "POST client/{token}/": "a name is wanted",
    **_both("client/{token}/notes/", "for guests"),
    **_button("review/take/{object_id}/again", "press a button of a stage"),
    **{
        address: profile
        for deed in ("convert", "connect", "discard")
        for address, profile in _button(
            f"workflows/workflowimport/{{object_id}}/{deed}", "farm rights, a deed"
        ).items()
    },
    **{
        address: profile
        for deed in ("current", "deprecate", "offer")
        for address, profile in _button(
            f"workflows/workflowtemplateversion/{{object_id}}/{deed}", "farm rights, a deed"
        ).items()
    },
    **_button("workflows/workflowtemplate/{object_id}/prove", "farm rights, a deed"),
    **_both("admin/workflows/workflowtemplateversion/{object_id}/dry-run/", "members of any film"),
    **_both("admin/workflows/workflowtemplateversion/{object_id}/compare/", "compare"),
    **{
        address: profile
        for deed in ("desired", "note", "place", "hours", "well", "software", "bound", "prove", "unprove")
        for address, profile in _button(f"nodes/node/{{object_id}}/{deed}", "farm rights, a deed").items()
    },
    **_button("renders/nodeblock/{object_id}/clear", "farm rights, a deed"),
    **_button("notices/notice/{object_id}/read", "mark one's own"),
    "POST admin/notices/notice/read-all/": "staff, back to the list",
    "GET admin/notices/notice/read-all/": "staff, wrong method",
    **_button("notices/subscription/{object_id}/ping", "press a channel's button"),
    **_button("notices/subscription/{object_id}/secret", "press a channel's button"),
    **_button("notices/delivery/{object_id}/again", "press a channel's button"),
    # the API
    **preset_table.EXPECTED,
    "GET api/schema/": "api: whoever is logged in",
    "GET api/docs/": "whoever is logged in",
    "POST api/v1/auth/login": "api: with a token only",
    "POST api/v1/auth/logout": "api: with a token only",
    "POST api/v1/auth/logoutall": "api: with a token only",
    **{
        f"GET api/v1/{name}": "api: whoever is logged in"
        for name in (
            *("projects", "sequences", "shots", "characters", "batches", "jobs", "takes"),
            *("automations", "publications", "recipe-runs", "materials"),
            *("notices", "subscriptions", "deliveries"),
            *("notes", "playlists"),
            *("automations", "recipe-runs", "materials", "notices", "subscriptions", "deliveries"),
        )
    },
    **{f"GET api/v1/{name}": "api: members" for name in (*_FARM_LISTS, "holds", "layouts", "mounts")},
    **{
        f"GET api/v1/{name}": "api: members of any film"
        for name in (
            *("templates/{slug}", "recipes/{slug}", "layouts/{slug}"),
            *(f"{name}/{{pk}}" for name in _FARM_LISTS if name not in ("templates", "recipes")),
        )
    },
    "POST api/v1/projects": "api: farm rights, made",
    "GET api/v1/projects/{code}": "api: read a row",
    **{
        f"GET api/v1/{name}/{{pk}}": "api: read a row"
        for name in (
            "sequences",
            "shots",
            "characters",
            "batches",
            "jobs",
            "takes",
            "publications",
            "recipe-runs",
            "materials",
            "automations",
        )
    },
    "POST api/v1/automations": "api: make in a managed film",
    "PATCH api/v1/automations/{pk}": "api: manage a row",
    "DELETE api/v1/automations/{pk}": "api: end a managed row",
    "POST api/v1/statuses": "api: farm rights, made",
    "PATCH api/v1/statuses/{pk}": "api: farm rights",
    "GET api/v1/projects/{code}/members": "api: read a row",
    "GET api/v1/projects/{code}/imports": "api: plan a whole film",
    "POST api/v1/projects/{code}/imports": "api: bring a list",
    "GET api/v1/projects/{code}/imports/{batch_id}": "api: plan a whole film",
    "PATCH api/v1/projects/{code}/imports/{batch_id}": "api: plan a whole film",
    "GET api/v1/projects/{code}/imports/{batch_id}/rows": "api: plan a whole film",
    "POST api/v1/projects/{code}/imports/{batch_id}/confirm": "api: plan a whole film",
    "POST api/v1/projects/{code}/imports/{batch_id}/undo": "api: plan a whole film, not now",
    "POST api/v1/projects/{code}/imports/{batch_id}/discard": "api: plan a whole film",
    "GET api/v1/projects/{code}/archives": "api: plan a whole film",
    "POST api/v1/projects/{code}/archives": "api: ask for the whole film",
    "GET api/v1/projects/{code}/archives/{archive_id}": "api: plan a whole film",
    "POST api/v1/projects/{code}/archives/{archive_id}/discard": "api: plan a whole film",
    "GET api/v1/archives/{archive_id}/file": "api: fetch the whole film",
    "GET api/v1/projects/{code}/export": "api: read a row",
    "POST api/v1/projects/{code}/members": "api: let in",
    "PATCH api/v1/projects/{code}/members/{member_id}": "api: manage a row",
    "DELETE api/v1/projects/{code}/members/{member_id}": "api: take out",
    "GET api/v1/projects/{code}/folders": "api: read a row",
    "POST api/v1/projects/{code}/folders": "api: plan a whole film",
    "POST api/v1/projects/{code}/layout": "api: manage a row",
    "POST api/v1/layouts": "api: farm rights, made",
    "PUT api/v1/mounts/{system}": "api: farm rights",
    "POST api/v1/takes/{pk}/publish": "api: publish",
    "GET api/v1/shots/{pk}/assignees": "api: read a row",
    "POST api/v1/shots/{pk}/assignees": "api: plan a whole film",
    "GET api/v1/materials/{material_id}/file": "api: read a row",
    "POST admin/materials/material/{object_id}/change/": "save a file of a shot",
    "PATCH api/v1/materials/{pk}": "api: change a row",
    "DELETE api/v1/materials/{pk}": "api: end a row",
    **{
        address: profile
        for at in ("shots/{pk}", "sequences/{pk}", "projects/{code}")
        for address, profile in {
            f"GET api/v1/{at}/materials": "api: read a row",
            f"POST api/v1/{at}/materials": (
                "api: bring a file to a row" if at.startswith("shots") else "api: bring a file to a film"
            ),
        }.items()
    },
    "GET api/v1/jobs/{pk}/why": "api: read a row",
    "GET api/v1/automations/{pk}/rehearsal": "api: read a row",
    "GET api/v1/takes/{pk}/conform": "api: read a row",
    "GET api/v1/artifacts/{artifact_id}/file": "api: watch a row",
    "GET api/v1/shots/{pk}/recommendation": "api: read a row",
    "POST api/v1/shots/{pk}/recommendation": "api: change a row",
    "GET api/v1/shots/{pk}/prompt": "api: read a row",
    "POST api/v1/shots/{pk}/prompt": "api: read a row",
    "GET api/v1/shots/{pk}/prompt/edits": "api: read a row",
    "PUT api/v1/shots/{pk}/prompt/edits/{channel}": "api: change a row",
    "DELETE api/v1/shots/{pk}/prompt/edits/{channel}": "api: end a row",
    "GET api/v1/shots/{pk}/prompts": "api: read a row",
    "GET api/v1/shots/{pk}/prompts/compare": "api: read a row, asked wrongly",
    "GET api/v1/prompts/{pk}": "api: read a row",
    "GET api/v1/projects/{code}/composer": "api: read a row",
    "PUT api/v1/projects/{code}/composer": "api: manage a row",
    "POST api/v1/sequences": "api: make in a film",
    "POST api/v1/shots": "api: make in a film",
    "POST api/v1/batches": "api: render in a film",
    "POST api/v1/batches/plan": "api: plan in a film",
    "PATCH api/v1/shots/{pk}": "api: change a row",
    "DELETE api/v1/shots/{pk}": "api: manage a row, in the way",
    "POST api/v1/shots/bulk-update": "api: plan shots of a film",
    "GET api/v1/projects/{code}/picture": "api: read a row",
    "PUT api/v1/projects/{code}/picture": "api: manage a row, told too little",
    "DELETE api/v1/projects/{code}/picture": "api: manage a row",
    "GET api/v1/characters/{pk}/references": "api: read a row",
    "POST api/v1/characters/{pk}/references": "api: bring a list",
    "PUT api/v1/characters/{pk}/references/{reference_id}": "api: bring a list",
    "PATCH api/v1/characters/{pk}/references/{reference_id}": "api: plan a whole film",
    "DELETE api/v1/characters/{pk}/references/{reference_id}": "api: plan a whole film",
    "GET api/v1/shots/casting": "api: whoever is logged in",
    "POST api/v1/shots/casting": "api: plan shots of a film",
    "GET admin/productions/shot/casting/": "members, to a list",
    "POST admin/productions/shot/casting/": "staff, wrong method",
    "GET admin/characters/character/look/": "staff, wrong method",
    "POST admin/characters/character/look/": "members, to a list",
    "POST api/v1/shots/reorder": "api: plan all of a film",
    "PATCH api/v1/projects/{code}": "api: manage a row",
    **{f"POST api/v1/{name}": "api: plan anew in a film" for name in ("episodes", "locations", "characters")},
    **{
        f"PATCH api/v1/{name}/{{pk}}": "api: plan a whole film"
        for name in ("episodes", "sequences", "locations", "characters")
    },
    **{
        f"DELETE api/v1/{name}/{{pk}}": "api: manage a row, in the way"
        for name in ("episodes", "sequences", "locations")
    },
    "DELETE api/v1/characters/{pk}": "api: manage a row",  # which is cast, and goes to the archive
    # what was changed: the activity of this world is the shot's
    **{f"GET api/v1/{name}": "api: whoever is logged in" for name in ("episodes", "locations")},
    **{f"GET api/v1/{name}/{{pk}}": "api: read a row" for name in ("episodes", "locations")},
    **{f"GET api/v1/{name}": "api: members" for name in ("activity", "bulk-changes")},
    "POST api/v1/activity/{pk}/restore": "api: bring back",  # the activity of this world deleted nothing
    "GET api/v1/bulk-changes/{pk}": "api: members, a row of a film",
    "GET api/v1/bulk-changes/{pk}/undo": "api: members, a row of a film",
    "POST api/v1/bulk-changes/{pk}/undo": "api: undo a bulk change",
    **{
        f"GET api/v1/{at}/history": "api: read a row"
        for at in (*(f"{name}/{{pk}}" for name in _HISTORIED), "projects/{code}")
    },
    **{
        f"POST api/v1/{at}/history/{{activity_id}}/restore": (
            "api: change a row" if at == "shots/{pk}" else "api: not of this"
        )
        for at in (*(f"{name}/{{pk}}" for name in _HISTORIED), "projects/{code}")
    },
    "GET api/v1/shots/{pk}/chain": "api: read a row",
    "POST api/v1/shots/{pk}/render-stale": "api: change a row, nothing to do",
    **_button("productions/sequence/{object_id}/stale", "plan by a button"),
    "POST api/v1/shots/{pk}/lock": "api: change a row",
    "POST api/v1/shots/{pk}/status": "api: change a row",
    "POST api/v1/batches/{pk}/cancel": "api: change a row of a stage",
    "POST api/v1/batches/{pk}/pause": "api: change a row of a stage",
    "POST api/v1/batches/{pk}/requeue": "api: change a row of a stage",
    "POST api/v1/jobs/{pk}/cancel": "api: change a row of a stage",
    "POST api/v1/jobs/{pk}/pause": "api: change a row of a stage",
    "POST api/v1/jobs/{pk}/prioritise": "api: change a row of a stage",
    "POST api/v1/jobs/{pk}/requeue": "api: change a row of a stage",
    "POST api/v1/jobs/requeue": "api: whoever is logged in",
    "POST api/v1/takes/{pk}/look-again": "api: change a take",
    "POST api/v1/takes/{pk}/review": "api: a take's verdict",
    "GET api/v1/notes/{pk}": "api: watch a row",
    "GET api/v1/notes/{pk}/still": "api: watch a row, asked wrongly",
    "GET api/v1/playlists/{pk}": "api: watch a row",
    "POST api/v1/takes/{pk}/select": "api: a take's verdict",
    "POST api/v1/takes/verdicts": "api: give verdicts",
    "POST api/v1/notes": "api: say in a film",
    "PATCH api/v1/notes/{pk}": "api: one's own note",
    "DELETE api/v1/notes/{pk}": "api: end a note",
    "POST api/v1/notes/{pk}/resolve": "api: resolve",
    "POST api/v1/playlists": "api: make for review",
    "POST api/v1/playlists/dailies": "api: do for review",
    "PATCH api/v1/playlists/{pk}": "api: verdict on what is shared",
    "DELETE api/v1/playlists/{pk}": "api: end for review",
    **{
        f"POST api/v1/playlists/{{pk}}/{deed}": "api: verdict on what is shared"
        for deed in ("add", "remove", "order")
    },
    "POST api/v1/playlists/{pk}/duplicate": "api: make of it for review",
    "GET api/v1/playlists/{pk}/notes.csv": "api: watch a row",
    "GET api/v1/playlists/{pk}/links": "api: verdict on what is shared",
    "POST api/v1/playlists/{pk}/links": "api: make of it for review",
    "POST api/v1/playlists/{pk}/links/{link}/revoke": "api: verdict on what is shared",
    "POST api/v1/recipe-runs": "api: start in a film",
    **{
        f"POST api/v1/recipe-runs/{{pk}}/{deed}": "api: change a row"
        for deed in ("render-changed", "cancel", "resume", "cancel-stale")
    },
    "POST api/v1/recipe-runs/{pk}/more": "api: change a row, not now",
    "POST api/v1/recipe-runs/{pk}/choose": "api: verdict",
    "POST api/v1/recipes": "api: farm rights, made",
    "PATCH api/v1/recipes/{slug}": "api: farm rights",
    "DELETE api/v1/recipes/{slug}": "api: farm rights, in use",
    "POST api/v1/takes/{pk}/render-again": "api: make of a take",
    # workflows: whoever works with the farm reads, Django's permissions let somebody bring and choose
    "POST api/v1/templates/import": "api: farm rights, a file",
    "PATCH api/v1/imports/{pk}": "api: farm rights",
    "POST api/v1/imports/{pk}/convert": "api: farm rights",
    "POST api/v1/imports/{pk}/discard": "api: farm rights",
    "POST api/v1/imports/{pk}/connect": "api: farm rights, in the way",
    "POST api/v1/imports/{pk}/confirm": "api: farm rights, in the way",
    "PATCH api/v1/templates/{slug}": "api: farm rights",
    **{
        f"GET api/v1/templates/{{slug}}/{what}": "api: members of any film"
        for what in ("versions", "versions/{number}")
    },
    "GET api/v1/templates/schema": "api: members of any film",
    "GET api/v1/templates/{slug}/compare": "api: members, asked wrongly",
    "POST api/v1/templates/{slug}/versions/{number}/deprecate": "api: farm rights",
    "POST api/v1/templates/{slug}/versions/{number}/offer": "api: farm rights",
    "POST api/v1/templates/{slug}/dry-run": "api: members of any film",
    "PATCH api/v1/nodes/{pk}": "api: farm rights",
    **{
        f"POST api/v1/nodes/{{pk}}/{deed}": "api: farm rights"
        for deed in ("desired", "work-until", "well", "accept-software")
    },
    "POST api/v1/blocks/{pk}/clear": "api: farm rights",
    "GET api/v1/farm/tiers": "api: members",
    "GET api/v1/models": "api: members",
    "GET api/v1/models/downloads": "api: members",
    "GET api/v1/proofs": "api: members",
    "GET api/v1/proofs/{pk}": "api: members of any film",
    "POST api/v1/proofs/{pk}/cancel": "api: farm rights",
    "POST api/v1/nodes/{pk}/prove": "api: farm rights, in the way",
    "POST api/v1/pools": "api: farm rights, made",
    "POST api/v1/schedules": "api: farm rights, made",
    "PATCH api/v1/pools/{pk}": "api: farm rights",
    "PATCH api/v1/schedules/{pk}": "api: farm rights",
    "DELETE api/v1/nodes/{pk}": "api: farm rights, in the way",
    "DELETE api/v1/pools/{pk}": "api: farm rights, gone",
    "DELETE api/v1/schedules/{pk}": "api: farm rights, gone",
    "PATCH api/v1/jobs/{pk}": "api: change a row of a stage",
    "PATCH api/v1/batches/{pk}": "api: change a row of a stage",
    "POST api/v1/jobs/change": "api: change jobs",
    "POST api/v1/jobs/cancel": "api: change jobs",
    "POST api/v1/projects/{code}/pause": "api: manage a row",
    "POST api/v1/holds": "api: farm rights, made",
    "DELETE api/v1/holds/{scope}": "api: farm rights, gone",
    "POST api/v1/limits": "api: farm rights, made",
    "PATCH api/v1/limits/{pk}": "api: farm rights",
    "DELETE api/v1/limits/{pk}": "api: farm rights, gone",
    # what somebody is told: their own, and the channels of films they manage
    "GET api/v1/notices/{pk}": "api: one's own",
    "POST api/v1/notices/{pk}/read": "api: one's own",
    "POST api/v1/notices/read-all": "api: whoever is logged in",
    "POST api/v1/subscriptions": "api: make one's own",
    "GET api/v1/subscriptions/{pk}": "api: a channel's",
    "PATCH api/v1/subscriptions/{pk}": "api: a channel's",
    "DELETE api/v1/subscriptions/{pk}": "api: end a channel",
    "POST api/v1/subscriptions/{pk}/ping": "api: test a channel",
    "POST api/v1/subscriptions/{pk}/new-secret": "api: a channel's",
    "GET api/v1/deliveries/{pk}": "api: a channel's",
    "POST api/v1/deliveries/{pk}/redeliver": "api: a channel's",
}


def body_of(key: str, film: dict[str, Any]) -> dict[str, Any]:
    """What is sent with it: a body that would do something, were it allowed."""
    project, sequence, shot = film["project"].code, film["sequence"].code, film["shot"]
    order = {
        "project": project,
        "shots": [f"{sequence}_{shot.code}"],
        "steps": [{"template": "sd15_t2i"}],
    }
    step = {"shot": str(shot.pk), "step": 1}
    press = {"shot": str(shot.pk), "step": "1", "take": str(film["take"].pk)}
    takes = [str(film["take"].pk)]
    bodies: dict[str, dict[str, Any]] = {
        **preset_table.bodies(project, f"{sequence}_{shot.code}"),
        "POST api/v1/recipe-runs": {"project": project, "shots": order["shots"], "recipe": "draft"},
        "POST api/v1/recipe-runs/{pk}/more": step,
        "POST api/v1/recipe-runs/{pk}/choose": step | {"take": str(film["take"].pk)},
        "POST api/v1/recipes": {"slug": "mine", "title": "Mine", "steps": [{"template": "sd15_t2i"}]},
        "PATCH api/v1/recipes/{slug}": {"title": "Draft and clip", "row_version": film["recipe"].row_version},
        "DELETE api/v1/recipes/{slug}": {"row_version": film["recipe"].row_version},
        "POST admin/recipes/reciperun/{object_id}/choose/": press,
        "POST admin/recipes/reciperun/{object_id}/more/": press,
        "POST admin/projects/project/choose/": {"project": str(film["project"].pk)},
        "POST api/v1/projects": {"code": "THAW", "name": "Thaw"},
        "POST api/v1/projects/{code}/members": {"user": "visitor", "role": "artist"},
        "PATCH api/v1/projects/{code}/members/{member_id}": {"role": "supervisor", "row_version": 0},
        "POST api/v1/shots/{pk}/assignees": {"users": [], "row_version": 0},
        "POST admin/productions/shot/{object_id}/assignees/": {"row_version": 0},
        "POST api/v1/projects/{code}/layout": {"layout": "aipipeline"},
        "PATCH api/v1/projects/{code}/imports/{batch_id}": {"row_version": film["importbatch"].row_version},
        **{
            f"POST admin/sheets/importbatch/{{object_id}}/{deed}/": {
                "row_version": film["importbatch"].row_version
            }
            for deed in ("mapping", "options")
        },
        "POST admin/projects/project/{object_id}/folders/layout/": {"layout": "aipipeline v1"},
        "POST api/v1/layouts": {"slug": "mine", "name": "Mine", "text": "folder project {project}/edit"},
        "PUT api/v1/mounts/{system}": {"root": "/mnt/films", "row_version": 0},
        "POST api/v1/automations": {
            "project": project,
            "name": "tell us",
            "trigger": "take_approved",
            "deed": "notify",
        },
        "PATCH api/v1/automations/{pk}": {"active": False, "row_version": 0},
        "DELETE api/v1/automations/{pk}": {"row_version": 0},
        "DELETE api/v1/projects/{code}/members/{member_id}": {"row_version": 0},
        "DELETE api/v1/notes/{pk}": {"row_version": 0},
        "DELETE api/v1/playlists/{pk}": {"row_version": 0},
        "POST api/v1/statuses": {"slug": "wfa", "state": "review", "name": "WFA", "order": 35},
        "PATCH api/v1/statuses/{pk}": {"name": "Waiting", "row_version": film["shotstatus"].row_version},
        "POST api/v1/sequences": {"project": project, "name": "The mirror"},
        "POST api/v1/shots": {"project": project, "sequence": sequence},
        "POST admin/productions/shot/{object_id}/cell/": {"cell": "length", "row_version": 0, "frames": 24},
        "POST admin/productions/shot/look/": {"view": "gallery"},
        "POST admin/productions/shot/reorder/": {
            "sequence": str(film["sequence"].pk),
            "shots": [str(shot.pk)],
            "before": [str(shot.pk)],
        },
        "POST api/v1/batches": order,
        "POST api/v1/batches/plan": order,
        "PATCH api/v1/shots/{pk}": {"frames": 24, "row_version": 0},
        "DELETE api/v1/shots/{pk}": {"row_version": 0},
        "PATCH api/v1/projects/{code}": {"handles": 8, "row_version": 0},
        **{
            key: {"name": "Another", "row_version": 0}
            for key in (
                "PATCH api/v1/episodes/{pk}",
                "PATCH api/v1/sequences/{pk}",
                "PATCH api/v1/locations/{pk}",
                "PATCH api/v1/characters/{pk}",
            )
        },
        **{
            f"DELETE api/v1/{name}/{{pk}}": {"row_version": 0}
            for name in ("episodes", "sequences", "locations", "characters")
        },
        "POST api/v1/episodes": {"project": project, "name": "Two"},
        "POST api/v1/locations": {"project": project, "code": "QUAY", "name": "The quay"},
        "POST api/v1/characters": {"project": project, "name": "Kay"},
        "POST api/v1/shots/bulk-update": {
            "project": project,
            "shots": [{"id": str(shot.pk), "row_version": 0}],
            "set": {"weather": "snow"},
        },
        "DELETE api/v1/projects/{code}/picture": {"row_version": 0},
        "PATCH api/v1/characters/{pk}/references/{reference_id}": {"title": "front", "row_version": 0},
        "DELETE api/v1/characters/{pk}/references/{reference_id}": {"row_version": 0},
        "POST api/v1/shots/casting": {
            "project": project,
            "shots": [{"id": str(shot.pk), "row_version": 0, "casting": []}],
        },
        "POST api/v1/shots/reorder": {"project": project, "sequence": sequence, "shots": [str(shot.pk)]},
        "PATCH api/v1/materials/{pk}": {"name": "sky", "row_version": 0},
        "DELETE api/v1/materials/{pk}": {"row_version": 0},
        "POST admin/materials/material/{object_id}/change/": {
            "name": "sky",
            "kind": "mask",
            "row_version": 0,
        },
        "POST api/v1/shots/{pk}/recommendation": {"decision": "accept"},
        "PUT api/v1/shots/{pk}/prompt/edits/{channel}": {"positive": "a quay"},
        "DELETE api/v1/shots/{pk}/prompt/edits/{channel}": {"row_version": 0},
        "PUT api/v1/projects/{code}/composer": {
            "composer": {"base": "style_first"},
            "row_version": film["project"].row_version,
        },
        "GET admin/productions/shot/{object_id}/prompt/compare/": {
            "a": str(film["prompt"].pk),
            "b": str(film["prompt"].pk),
        },
        "POST admin/productions/shot/{object_id}/prompt/keep/": {
            "template": "sd15_t2i",
            "positive": "a quay",
        },
        "POST admin/productions/shot/{object_id}/prompt/drop/": {"channel": "image"},
        "POST admin/projects/project/{object_id}/composer/": {"ready": "style_first"},
        "POST api/v1/shots/{pk}/lock": {"locked": True},
        "POST api/v1/shots/{pk}/status": {"to": "on_hold"},
        "POST api/v1/batches/{pk}/pause": {"paused": True},
        "POST api/v1/jobs/{pk}/pause": {"paused": True},
        "POST api/v1/jobs/{pk}/prioritise": {"priority": 30},
        "POST api/v1/takes/{pk}/review": {"to": "approved"},
        "POST api/v1/takes/verdicts": {"takes": takes, "to": "approved"},
        "POST api/v1/notes": {"take": takes[0], "text": "wider"},
        "PATCH api/v1/notes/{pk}": {"text": "closer", "row_version": 0},
        "POST api/v1/playlists": {"project": project, "name": "Tuesday"},
        "POST api/v1/playlists/dailies": {"project": project},
        "PATCH api/v1/playlists/{pk}": {"name": "Tuesday", "row_version": 0},
        "POST api/v1/playlists/{pk}/remove": {"takes": takes},
        "POST api/v1/playlists/{pk}/order": {"takes": takes, "row_version": 0},
        "POST admin/review/playlist/dailies/": {"project": project},
        "POST admin/review/playlist/{object_id}/do/": {"do": "duplicate"},
        "POST admin/review/take/verdict/": {"to": "approved", "take": takes[0]},
        "POST api/v1/nodes/{pk}/desired": {"desired": "draining"},
        "PATCH api/v1/nodes/{pk}": {
            "pool": "day",
            "tags": ["fast"],
            "note": "new fan",
            "row_version": film["node"].row_version,
        },
        "DELETE api/v1/nodes/{pk}": {"row_version": film["node"].row_version},
        "POST api/v1/nodes/{pk}/work-until": {"until": "2099-01-01T00:00:00Z"},
        "POST api/v1/pools": {"name": "night"},
        "POST api/v1/schedules": {"name": "late", "timezone": "UTC", "windows": NIGHTS},
        "PATCH api/v1/pools/{pk}": {"dedicated": True, "row_version": 0},
        "PATCH api/v1/schedules/{pk}": {"timezone": "Asia/Seoul", "row_version": 0},
        **{f"DELETE api/v1/{name}/{{pk}}": {"row_version": 0} for name in ("pools", "schedules", "limits")},
        "POST admin/nodes/node/{object_id}/note/": {"note": "new fan", "row_version": 0},
        "POST admin/nodes/node/{object_id}/place/": {"pool": "day", "tags": "fast, new", "row_version": 0},
        "POST admin/nodes/node/{object_id}/hours/": {"hours": "5"},
        "PATCH api/v1/jobs/{pk}": {"priority": 30},
        "PATCH api/v1/batches/{pk}": {"priority": 30, "paused": True},
        "POST api/v1/jobs/change": {"jobs": [film["job"].code], "priority": 30},
        "POST api/v1/jobs/cancel": {"jobs": [film["job"].code]},
        "POST api/v1/projects/{code}/pause": {"paused": True},
        "POST api/v1/holds": {"scope": "farm"},
        "POST api/v1/limits": {"name": "paid-api", "most": 2, "templates": ["sd15_t2i"]},
        "PATCH api/v1/limits/{pk}": {"most": 7, "row_version": 0},
        "POST admin/renders/job/{object_id}/steer/": {"priority": "30", "initial-priority": "10"},
        "POST admin/renders/renderbatch/{object_id}/steer/": {"priority": "30", "initial-priority": "10"},
        "POST admin/projects/project/{object_id}/pause/": {"paused": "1"},
        "POST admin/projects/project/{object_id}/archives/discard/": {
            "archive": str(film["projectarchive"].pk)
        },
        "POST admin/renders/hold/set/": {"scope": "farm", "paused": "1"},
        "POST api/v1/subscriptions": {"kinds": ["batch.done"], "road": "inbox"},
        "PATCH api/v1/subscriptions/{pk}": {"active": False, "row_version": 0},
        "DELETE api/v1/subscriptions/{pk}": {"row_version": 0},
        "POST admin/productions/shot/{object_id}/status/": {"to": "on_hold"},
        "POST admin/renders/job/{object_id}/pause/": {"paused": "1"},
        "POST admin/renders/renderbatch/{object_id}/pause/": {"paused": "1"},
        "POST api/v1/jobs/requeue": {"node": "gpu24"},
        "POST admin/nodes/node/{object_id}/requeue/": {"hours": "24"},
        "POST admin/renders/job/{object_id}/priority/": {"priority": "30"},
        "POST admin/review/take/{object_id}/review/": {"to": "approved"},
        "PATCH api/v1/imports/{pk}": {"manifest": {"slug": "mine"}, "row_version": 0},
        "POST api/v1/imports/{pk}/confirm": {"manifest": {}, "row_version": 0},
        "POST api/v1/imports/{pk}/convert": {"catalogue": "ComfyUI 0.27.0", "row_version": 0},
        "POST api/v1/imports/{pk}/connect": {"node": "9", "input": "images", "output_of": "8"},
        "PATCH api/v1/templates/{slug}": {
            "offered": False,
            "row_version": film["workflowtemplate"].row_version,
        },
        "POST api/v1/templates/{slug}/versions/{number}/deprecate": {"reason": "old"},
        "POST api/v1/templates/{slug}/dry-run": {"values": {"positive": "a quay"}},
        "POST admin/workflows/workflowtemplateversion/{object_id}/deprecate/": {"reason": "old"},
        "POST admin/workflows/workflowimport/{object_id}/convert/": {
            "catalogue": "ComfyUI 0.27.0",
            "row_version": 0,
        },
        "POST admin/nodes/node/{object_id}/desired/": {"desired": "draining"},
        "POST api/v1/nodes/{pk}/prove": {"template": "sd15_t2i"},
        "POST admin/nodes/node/{object_id}/prove/": {"template": "sd15_t2i"},
        "POST admin/nodes/node/{object_id}/unprove/": {"template": "sd15_t2i"},
        "POST admin/nodes/node/{object_id}/bound/": {"prove_minutes": "15", "row_version": 0},
    }
    return bodies.get(key, {})


DEEDS: Final = (
    *preset_table.DEEDS,
    "POST api/v1/takes/{pk}/render-again",
    "POST admin/review/take/{object_id}/again/",
    "PATCH api/v1/imports/{pk}",
    "POST api/v1/imports/{pk}/convert",
    "POST api/v1/imports/{pk}/discard",
    "PATCH api/v1/templates/{slug}",
    "POST api/v1/templates/{slug}/versions/{number}/deprecate",
    "POST admin/workflows/workflowtemplateversion/{object_id}/deprecate/",
    "POST admin/workflows/workflowimport/{object_id}/convert/",
    "POST admin/workflows/workflowimport/{object_id}/discard/",
    "POST admin/projects/project/choose/",
    "POST admin/productions/shot/{object_id}/cell/",
    "POST admin/productions/shot/look/",
    "POST api/v1/projects",
    "POST api/v1/projects/{code}/members",
    "POST api/v1/projects/{code}/archives",
    "POST api/v1/projects/{code}/archives/{archive_id}/discard",
    "POST admin/projects/project/{object_id}/archives/ask/",
    "POST admin/projects/project/{object_id}/archives/discard/",
    *(f"POST api/v1/projects/{{code}}/imports/{{batch_id}}/{deed}" for deed in ("confirm", "discard")),
    *(
        f"POST admin/sheets/importbatch/{{object_id}}/{deed}/"
        for deed in ("mapping", "options", "again", "confirm", "discard")
    ),
    "PATCH api/v1/projects/{code}/members/{member_id}",
    "DELETE api/v1/projects/{code}/members/{member_id}",
    "POST api/v1/projects/{code}/folders",
    "POST api/v1/projects/{code}/layout",
    "POST admin/projects/project/{object_id}/folders/confirm/",
    "POST admin/projects/project/{object_id}/folders/layout/",
    "POST api/v1/layouts",
    "PUT api/v1/mounts/{system}",
    "POST api/v1/takes/{pk}/publish",
    "POST admin/review/take/{object_id}/publish/",
    "POST api/v1/shots/{pk}/assignees",
    "POST admin/productions/shot/{object_id}/assignees/",
    "PUT api/v1/shots/{pk}/prompt/edits/{channel}",
    "POST admin/productions/shot/{object_id}/prompt/keep/",
    "PUT api/v1/projects/{code}/composer",
    "POST api/v1/sequences",
    "POST api/v1/automations",
    "PATCH api/v1/automations/{pk}",
    "DELETE api/v1/automations/{pk}",
    "POST api/v1/statuses",
    "PATCH api/v1/statuses/{pk}",
    "POST api/v1/shots",
    "POST api/v1/batches",
    "PATCH api/v1/shots/{pk}",
    "PATCH api/v1/projects/{code}",
    *(f"PATCH api/v1/{name}/{{pk}}" for name in ("episodes", "sequences", "locations", "characters")),
    "DELETE api/v1/characters/{pk}",
    *(f"POST api/v1/{name}" for name in ("episodes", "locations", "characters")),
    "POST api/v1/shots/bulk-update",
    "POST api/v1/shots/casting",
    "DELETE api/v1/projects/{code}/picture",
    "PATCH api/v1/characters/{pk}/references/{reference_id}",
    "DELETE api/v1/characters/{pk}/references/{reference_id}",
    "POST api/v1/bulk-changes/{pk}/undo",
    "POST api/v1/shots/{pk}/history/{activity_id}/restore",
    "POST admin/productions/shot/{object_id}/history/{activity_id}/restore/",
    "POST admin/ledger/batch/{object_id}/undo/",
    "PATCH api/v1/materials/{pk}",
    "DELETE api/v1/materials/{pk}",
    "POST admin/materials/material/{object_id}/change/",
    "POST api/v1/shots/{pk}/lock",
    "POST api/v1/shots/{pk}/status",
    "POST api/v1/batches/{pk}/cancel",
    "POST api/v1/batches/{pk}/pause",
    "POST api/v1/batches/{pk}/requeue",
    "POST api/v1/jobs/{pk}/cancel",
    "POST api/v1/jobs/{pk}/pause",
    "POST api/v1/jobs/{pk}/prioritise",
    "POST api/v1/jobs/{pk}/requeue",
    "POST api/v1/takes/{pk}/look-again",
    "POST api/v1/recipe-runs",
    *(f"POST api/v1/recipe-runs/{{pk}}/{deed}" for deed in ("render-changed", "cancel", "resume", "choose")),
    *(
        f"POST admin/recipes/reciperun/{{object_id}}/{deed}/"
        for deed in ("changed", "cancel", "resume", "choose")
    ),
    "POST api/v1/recipes",
    "PATCH api/v1/recipes/{slug}",
    "POST api/v1/takes/{pk}/review",
    "POST api/v1/takes/{pk}/select",
    "POST api/v1/takes/verdicts",
    "POST api/v1/notes",
    "PATCH api/v1/notes/{pk}",
    "DELETE api/v1/notes/{pk}",
    "POST api/v1/notes/{pk}/resolve",
    "POST api/v1/playlists",
    "POST api/v1/playlists/dailies",
    "PATCH api/v1/playlists/{pk}",
    "DELETE api/v1/playlists/{pk}",
    "POST api/v1/playlists/{pk}/remove",
    "POST api/v1/playlists/{pk}/duplicate",
    "POST api/v1/playlists/{pk}/links",
    "POST api/v1/playlists/{pk}/links/{link}/revoke",
    "POST admin/review/take/{object_id}/select/",
    "POST admin/review/take/verdict/",
    "POST admin/review/playlist/dailies/",
    "POST admin/review/playlist/{object_id}/do/",
    "POST api/v1/nodes/{pk}/desired",
    "PATCH api/v1/nodes/{pk}",
    *(f"POST api/v1/nodes/{{pk}}/{deed}" for deed in ("work-until", "well", "accept-software")),
    "POST api/v1/blocks/{pk}/clear",
    "POST api/v1/proofs/{pk}/cancel",
    *(f"POST api/v1/{name}" for name in ("pools", "schedules")),
    *(f"{verb} api/v1/{name}/{{pk}}" for verb in ("PATCH", "DELETE") for name in ("pools", "schedules")),
    *(
        f"POST admin/nodes/node/{{object_id}}/{deed}/"
        for deed in ("note", "place", "hours", "well", "software", "bound", "unprove")
    ),
    "POST admin/renders/nodeblock/{object_id}/clear/",
    "POST api/v1/notices/{pk}/read",
    "POST api/v1/notices/read-all",
    "POST api/v1/subscriptions",
    "PATCH api/v1/subscriptions/{pk}",
    "DELETE api/v1/subscriptions/{pk}",
    "POST api/v1/subscriptions/{pk}/ping",
    "POST api/v1/subscriptions/{pk}/new-secret",
    "POST api/v1/deliveries/{pk}/redeliver",
    "POST admin/notices/notice/{object_id}/read/",
    "POST admin/notices/notice/read-all/",
    "POST admin/notices/subscription/{object_id}/ping/",
    "POST admin/notices/subscription/{object_id}/secret/",
    "POST admin/notices/delivery/{object_id}/again/",
    "POST admin/productions/shot/{object_id}/status/",
    "POST admin/renders/job/{object_id}/cancel/",
    "POST admin/renders/job/{object_id}/pause/",
    "POST admin/renders/job/{object_id}/priority/",
    "POST admin/renders/job/{object_id}/requeue/",
    "POST admin/renders/renderbatch/{object_id}/cancel/",
    "POST admin/renders/renderbatch/{object_id}/pause/",
    "POST admin/renders/renderbatch/{object_id}/requeue/",
    "POST admin/review/take/{object_id}/review/",
    "POST admin/nodes/node/{object_id}/desired/",
    "PATCH api/v1/jobs/{pk}",
    "PATCH api/v1/batches/{pk}",
    "POST api/v1/jobs/change",
    "POST api/v1/jobs/cancel",
    "POST api/v1/projects/{code}/pause",
    "POST api/v1/holds",
    "DELETE api/v1/holds/{scope}",
    "POST api/v1/limits",
    "PATCH api/v1/limits/{pk}",
    "DELETE api/v1/limits/{pk}",
    "POST admin/renders/job/{object_id}/steer/",
    "POST admin/renders/renderbatch/{object_id}/steer/",
    "POST admin/projects/project/{object_id}/pause/",
    "POST admin/renders/hold/set/",
)
"""With these bodies something changes where it is allowed: the proof that a refusal was about the person."""
