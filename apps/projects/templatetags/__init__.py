"""Template tags of the whole farm."""
