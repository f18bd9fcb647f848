"""What a film is made of: sequences, shots, locations, and who is cast where."""

from apps.productions.models.places import Episode, Location, Sequence, Setting, TimeOfDay, Weather
from apps.productions.models.shots import MAX_FRAMES, Keeps, Shot, ShotCharacter, ShotPreset
from apps.productions.models.statuses import Automation, Deed, ShotStatus, Trigger

__all__ = [
    "MAX_FRAMES",
    "Automation",
    "Deed",
    "Episode",
    "Keeps",
    "Location",
    "Sequence",
    "Setting",
    "Shot",
    "ShotCharacter",
    "ShotPreset",
    "ShotStatus",
    "TimeOfDay",
    "Trigger",
    "Weather",
]
