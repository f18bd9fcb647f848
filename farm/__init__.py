"""The Django project, and the two plain modules everyone shares: tiers and contracts."""
