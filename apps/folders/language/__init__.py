"""The language of paths: templates with typed fields, layouts made of them, and names that every disk takes.

Plain Python: no framework, no database, no disk.
"""
