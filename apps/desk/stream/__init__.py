"""What changed, to people's open pages and scripts: ``GET /events`` (docs/events.md)."""
