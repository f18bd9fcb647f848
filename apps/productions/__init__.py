"""Sequences, shots, locations and casting; shot lists in and out."""
