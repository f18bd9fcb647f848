"""Everything that changes the preset library."""

from apps.presets.services.loading import Loaded, load_presets

__all__ = ["Loaded", "load_presets"]
