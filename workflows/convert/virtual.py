"""Nodes that exist only in the browser: they are applied to the graph and left out of it."""

from __future__ import annotations

from typing import Final

PRIMITIVE: Final = "PrimitiveNode"
REROUTES: Final = frozenset({"Reroute", "Reroute (rgthree)"})
SETTERS: Final = frozenset({"SetNode", "easy setNode"})
GETTERS: Final = frozenset({"GetNode", "easy getNode"})
"""Custom packs' links without a wire: a getter gives what the setter of the same name takes."""

NOTES: Final = frozenset(
    {
        "Note", "MarkdownNote", "Label (rgthree)", "Bookmark (rgthree)", "Node Collector (rgthree)",
        "Fast Muter (rgthree)", "Fast Bypasser (rgthree)", "Fast Groups Muter (rgthree)",
        "Fast Groups Bypasser (rgthree)", "Fast Actions Button (rgthree)",
        "Mute / Bypass Repeater (rgthree)", "Mute / Bypass Relay (rgthree)",
    }
)  # fmt: skip
"""What a person reads or presses; nothing of it runs."""

VIRTUAL: Final = frozenset({PRIMITIVE}) | REROUTES | SETTERS | GETTERS | NOTES
