"""Template tags for jobs."""
