"""Takes, notes and playlists over HTTP."""

from apps.review.api.notes import NoteViewSet
from apps.review.api.playlists import PlaylistViewSet
from apps.review.api.take_bodies import FramesAt, TakeSerializer, Trim, WantedFrames
from apps.review.api.takes import TakeViewSet

__all__ = [
    "FramesAt",
    "NoteViewSet",
    "PlaylistViewSet",
    "TakeSerializer",
    "TakeViewSet",
    "Trim",
    "WantedFrames",
]
