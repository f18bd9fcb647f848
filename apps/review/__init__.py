"""Takes and their artifacts, media work and review."""
