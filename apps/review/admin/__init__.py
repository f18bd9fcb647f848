"""The pages of takes and playlists."""

from apps.review.admin.playlists import PlaylistAdmin
from apps.review.admin.takes import TakeAdmin

__all__ = ["PlaylistAdmin", "TakeAdmin"]
