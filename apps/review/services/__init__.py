"""What changes takes: their birth, their media, their review."""

from apps.review.services.media import look_again, process_media
from apps.review.services.reviewing import review_take, review_takes
from apps.review.services.selecting import select_take, unselect_take

__all__ = [
    "look_again",
    "process_media",
    "review_take",
    "review_takes",
    "select_take",
    "unselect_take",
]
