"""What ``manage.py farm`` says and does. Rooms behind one door: the command parses, calls, prints.

Every answer is both a text for people and an object for tools (``--json``); the objects are described in
docs/operations.md and keep their form.
"""
