"""Decode a sound to its end. Nothing is believed from its name, nor from what it says of its length."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import av
from django.utils.translation import gettext as _

from apps.materials.formats import Format
from apps.review.decoding import Undecodable

MOST_SECONDS: Final = 3_600

_OPTIONS: Final = {"format_whitelist": "wav,flac,mp3,ogg,mov", "protocol_whitelist": "file"}
"""A playlist is a "sound" that makes FFmpeg open other files and addresses: plain sounds only."""


def listen(path: Path, expected: Format) -> float:
    """Return how many seconds a sound lasts, once decoded to its end. Raises Undecodable."""
    try:
        with av.open(str(path), options=_OPTIONS) as container:
            if container.format.name != expected.reader:
                told = _("its bytes say %(said)s, but it is %(found)s")
                raise Undecodable(told % {"said": expected.title, "found": container.format.name})
            if not container.streams.audio:
                raise Undecodable(_("it holds no sound"))
            seconds = 0.0
            for frame in container.decode(container.streams.audio[0]):
                seconds += frame.samples / max(1, frame.sample_rate)
                if seconds > MOST_SECONDS:
                    raise Undecodable(_("it is longer than an hour"))
    except (av.FFmpegError, OSError) as exc:
        raise Undecodable(exc.strerror or str(exc)) from exc  # without the name of our copy
    if not seconds:
        raise Undecodable(_("it holds no sound"))
    return seconds
