"""A whole farm on one machine: ``make demo``."""
