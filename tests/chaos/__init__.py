"""Kills, outages and poison against a farm of real processes: ``make chaos``."""
