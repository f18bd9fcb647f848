"""Who gets what of the preset library; see table.py. The studio's rows are the ones of these addresses."""

from __future__ import annotations

from typing import Any, Final

PROFILES: Final[dict[str, str]] = {
    "api: a film's library, made": (
        "401 403 400 403 403 403 403 403 201 201 201 | 401 403 400 403 400 400 400 400 400 400 201"
    ),
    "api: a film's library": (
        "401 403 400 403 403 403 403 403 200 200 200 | 401 403 400 403 400 400 400 400 400 400 200"
    ),
    "api: farm rights, copied": (
        "401 403 403 403 403 403 403 403 403 403 201 | 401 403 403 403 403 403 403 403 403 403 201"
    ),
    "api: plan shots of a film": (
        "401 400 400 400 403 200 403 403 200 200 200 | 401 400 400 400 400 400 400 400 400 400 200"
    ),
    "api: keep a look": (
        "401 404 404 404 403 403 403 403 201 201 201 | 401 404 404 404 404 404 404 404 404 404 201"
    ),
}

KINDS: Final = ("presets", "preset-categories", "preset-rules", "looks")

EXPECTED: Final[dict[str, str]] = {
    "GET admin/presets/cinematicpreset/exchange/": "members",
    "POST admin/presets/cinematicpreset/exchange/": "members",
    "GET admin/presets/cinematicpreset/export/": "members",
    "POST admin/presets/cinematicpreset/export/": "staff, wrong method",
    "GET admin/productions/shot/presets/": "staff, back to the list",
    "POST admin/productions/shot/presets/": "staff, back to the list",
    "GET admin/productions/shot/preset-check/": "staff, wrong method",
    "POST admin/productions/shot/preset-check/": "members",
    "POST admin/productions/shot/{object_id}/keep_look/": "press a button",
    "GET admin/productions/shot/{object_id}/keep_look/": "staff, wrong method, a row",
    **{
        f"{verb} api/v1/{kind}{rest}": profile
        for kind in KINDS
        for verb, rest, profile in (
            ("GET", "", "api: members"),
            ("GET", "/{pk}", "api: members of any film"),
            ("POST", "", "api: a film's library, made"),
            ("PATCH", "/{pk}", "api: farm rights"),
            ("DELETE", "/{pk}", "api: farm rights, in the way"),
            ("POST", "/{pk}/archive", "api: farm rights"),
            ("POST", "/{pk}/restore", "api: farm rights"),
            ("POST", "/{pk}/duplicate", "api: farm rights, copied"),
        )
    },
    "PUT api/v1/presets/{pk}/override": "api: a film's library",
    "DELETE api/v1/presets/{pk}/override": "api: members, asked wrongly",
    "POST api/v1/presets/check": "api: members",
    "GET api/v1/presets/export": "api: members",
    "POST api/v1/presets/import": "api: a film's library",
    "POST api/v1/shots/apply-presets": "api: plan shots of a film",
    "POST api/v1/shots/{pk}/look": "api: keep a look",
}


def bodies(project: str, shot: str) -> dict[str, dict[str, Any]]:
    """What is sent with them."""
    named = {"project": project, "slug": "harbour", "name": "Harbour"}
    rule = {"when": "kind:image", "other": "weather:fog", "message": "Never."}
    category = {"project": project, "slug": "harbours", "name": "Harbours"}
    library = {"format": "shotfarm-presets", "version": 1, "categories": [{"slug": "ice", "name": "Ice"}]}
    return {
        "POST api/v1/presets": named | {"category": "mood", "prompt_fragment": "harbour"},
        "POST api/v1/preset-categories": category,
        "POST api/v1/preset-rules": {"project": project, "slug": "harbour", **rule},
        "POST api/v1/looks": named | {"presets": ["mood/tense"]},
        **{f"PATCH api/v1/{kind}/{{pk}}": {"order": 7, "row_version": 0} for kind in KINDS},
        **{f"DELETE api/v1/{kind}/{{pk}}": {"row_version": 0} for kind in KINDS},
        "PUT api/v1/presets/{pk}/override": {"project": project, "prompt_fragment": "harbour"},
        "POST api/v1/presets/check": {"presets": ["mood/tense"]},
        "POST api/v1/presets/import": {"project": project, "library": library},
        "POST api/v1/shots/apply-presets": {"project": project, "shots": [shot], "presets": ["mood/tense"]},
        "POST api/v1/shots/{pk}/look": {"name": "Harbour"},
        "POST admin/productions/shot/{object_id}/keep_look/": {"name": "Harbour"},
    }


DEEDS: Final = (
    *(f"POST api/v1/{kind}" for kind in KINDS),
    *(f"PATCH api/v1/{kind}/{{pk}}" for kind in KINDS),
    *(f"POST api/v1/{kind}/{{pk}}/archive" for kind in KINDS),
    "PUT api/v1/presets/{pk}/override",
    "POST api/v1/presets/import",
    "POST api/v1/shots/apply-presets",
    "POST api/v1/shots/{pk}/look",
    "POST admin/productions/shot/{object_id}/keep_look/",
)
"""With these bodies something changes where it is allowed."""
