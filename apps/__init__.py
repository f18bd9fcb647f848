"""Shotfarm's Django apps. They stack one way; see docs/map.md."""
