"""The cinematic preset library."""
