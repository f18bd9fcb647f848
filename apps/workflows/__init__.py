"""Workflow templates and their immutable versions."""
