"""Takes with their files, what people say about them, and the playlists they are shown in."""

from apps.review.models.clients import ClientGuest, ClientLink
from apps.review.models.judging import Unjudged, to_be_judged
from apps.review.models.notes import ReviewNote, Visibility
from apps.review.models.playlists import Playlist, PlaylistItem, PlaylistKind
from apps.review.models.takes import Artifact, ArtifactRole, Take, TakeParent

__all__ = [
    "Artifact",
    "ArtifactRole",
    "ClientGuest",
    "ClientLink",
    "Playlist",
    "PlaylistItem",
    "PlaylistKind",
    "ReviewNote",
    "Take",
    "TakeParent",
    "Unjudged",
    "Visibility",
    "to_be_judged",
]
