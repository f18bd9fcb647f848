"""The composer: shot, casting and presets become a prompt with provenance."""
