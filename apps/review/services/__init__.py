"""What changes takes: their birth, their media, their review."""

from apps.review.services.media import look_again, process_media
from apps.review.services.reviewing import review_take

__all__ = ["look_again", "process_media", "review_take"]
