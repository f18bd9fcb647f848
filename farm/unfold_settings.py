"""How the admin looks and what stands in its sidebar (django-unfold)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy
from django.utils.functional import Promise
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

_MEMBER = "apps.desk.sidebar.member"
_WATCHER = "apps.desk.sidebar.watcher"
_FARM = "apps.desk.sidebar.sees_farm"
_USERS = "apps.desk.sidebar.sees_users"
_EVERYBODY = "apps.desk.sidebar.everybody"


def _item(title: str | Promise, icon: str, address: str, permission: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse_lazy(address), "permission": permission}


def _list(
    title: str | Promise, icon: str, address: str, *, assigned: str = "", but: str = ""
) -> dict[str, Any]:
    """A list of a film's rows: it begins with the project that the reader turned to last.

    ``but``: a page below it that has an entry of its own.
    """

    def link(request: HttpRequest) -> str:
        told: str = import_string("apps.desk.sidebar.list_of_last_project")(
            request, address, **({"assigned": assigned} if assigned else {})
        )
        return told

    def is_open(request: HttpRequest) -> bool:
        mine = request.GET.get("assigned") == "me"
        elsewhere = bool(but) and request.path.startswith(reverse(but))
        return request.path.startswith(reverse(address)) and mine == (assigned == "me") and not elsewhere

    return {"title": title, "icon": icon, "link": link, "active": is_open, "permission": _MEMBER}


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Shotfarm",
    "SITE_HEADER": "Shotfarm",
    "SITE_SUBHEADER": _("render farm for AI film"),
    "SITE_SYMBOL": "movie",
    "SITE_URL": None,
    "SHOW_LANGUAGES": True,
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "apps.desk.views.dashboard",
    "STYLES": [
        lambda _request: static("shotfarm/colours.css"),
        lambda _request: static("shotfarm/shotfarm.css"),
    ],
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda _request: static("shotfarm/favicon.svg"),
        },
    ],
    "SCRIPTS": [
        lambda _request: static("shotfarm/shotfarm.js"),
        lambda _request: static("shotfarm/live.js"),
        lambda _request: static("shotfarm/alpine.js"),
    ],
    # The colours are in static/shotfarm/colours.css: Unfold would write them into every page as an inline
    # style, which the content security policy does not allow.
    "COLORS": lambda _request: {},
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": [
            {
                "items": [
                    _item(_("Home"), "space_dashboard", "admin:index", _MEMBER),
                    _item(_("Farm"), "lan", "desk:farm", _FARM),
                    _item(_("Notices"), "notifications", "admin:notices_notice_changelist", _EVERYBODY)
                    | {"badge": "apps.desk.sidebar.unread"},
                ],
            },
            {
                "title": _("Production"),
                "separator": True,
                "items": [
                    _list(
                        _("Shots"),
                        "movie",
                        "admin:productions_shot_changelist",
                        but="admin:productions_shot_casting",
                    ),
                    _list(
                        _("My shots"), "assignment_ind", "admin:productions_shot_changelist", assigned="me"
                    ),
                    _list(_("Sequences"), "view_list", "admin:productions_sequence_changelist"),
                    _list(_("Episodes"), "video_library", "admin:productions_episode_changelist"),
                    _list(_("Characters"), "face", "admin:characters_character_changelist"),
                    _list(_("Casting"), "groups", "admin:productions_shot_casting"),
                    _list(_("Locations"), "location_on", "admin:productions_location_changelist"),
                    _list(_("Spreadsheets"), "table_view", "admin:sheets_importbatch_changelist"),
                ],
            },
            {
                "title": _("Rendering"),
                "separator": True,
                "items": [
                    _list(_("Recipe runs"), "conversion_path", "admin:recipes_reciperun_changelist"),
                    _list(_("Batches"), "stacks", "admin:renders_renderbatch_changelist"),
                    _list(_("Jobs"), "schedule", "admin:renders_job_changelist"),
                    _list(_("Takes"), "theaters", "admin:review_take_changelist"),
                    _item(_("Playlists"), "playlist_play", "admin:review_playlist_changelist", _WATCHER),
                    _list(_("Activity"), "history", "admin:ledger_activity_changelist"),
                ],
            },
            {
                "title": _("Farm"),
                "separator": True,
                "items": [
                    _item(_("Nodes"), "memory", "admin:nodes_node_changelist", _FARM),
                    _item(_("Model files"), "inventory_2", "desk:models", _FARM),
                    _item(_("Pools"), "workspaces", "admin:nodes_pool_changelist", _FARM),
                    _item(_("Schedules"), "bedtime", "admin:nodes_schedule_changelist", _FARM),
                    _item(_("Blocked pairs"), "block", "admin:renders_nodeblock_changelist", _FARM),
                    _item(_("Memory needs"), "sd_card", "admin:renders_need_changelist", _FARM),
                    _item(_("Failure rules"), "rule", "admin:renders_failurerule_changelist", _FARM),
                    _item(_("Limits"), "speed", "admin:renders_limit_changelist", _FARM),
                    _item(_("Events"), "timeline", "admin:common_stateevent_changelist", _FARM),
                ],
            },
            {
                "title": _("Library"),
                "separator": True,
                "items": [
                    _item(_("Presets"), "tune", "admin:presets_cinematicpreset_changelist", _MEMBER),
                    _item(
                        _("Preset categories"), "category", "admin:presets_presetcategory_changelist", _MEMBER
                    ),
                    _item(_("Looks"), "style", "admin:presets_look_changelist", _MEMBER),
                    _item(_("Preset rules"), "rule", "admin:presets_presetrule_changelist", _MEMBER),
                    _item(
                        _("Layouts of folders"),
                        "folder_managed",
                        "admin:folders_pathtemplate_changelist",
                        _MEMBER,
                    ),
                    _item(_("Mounts"), "hard_drive", "admin:folders_mount_changelist", _MEMBER),
                    _item(_("Recipes"), "receipt_long", "admin:recipes_recipe_changelist", _MEMBER),
                    _item(
                        _("Workflows"), "account_tree", "admin:workflows_workflowtemplate_changelist", _MEMBER
                    ),
                    _item(
                        _("Imported workflows"),
                        "upload_file",
                        "admin:workflows_workflowimport_changelist",
                        _MEMBER,
                    ),
                    _item(
                        _("Recommendation rules"),
                        "recommend",
                        "admin:workflows_recommendationrule_changelist",
                        _MEMBER,
                    ),
                    _item(_("Shot statuses"), "flag", "admin:productions_shotstatus_changelist", _MEMBER),
                    _item(_("Automations"), "bolt", "admin:productions_automation_changelist", _MEMBER),
                ],
            },
            {
                "title": _("Studio"),
                "separator": True,
                "items": [
                    _item(_("Projects"), "folder", "admin:projects_project_changelist", _MEMBER),
                    _item(_("Users"), "group", "admin:accounts_user_changelist", _USERS),
                ],
            },
        ],
    },
}
