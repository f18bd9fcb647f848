"""Template tags for nodes."""
