"""Template tags of takes and their files."""
