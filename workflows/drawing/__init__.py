"""Draw a graph in API format as an SVG picture, layered from left to right.

========= =====================================================================
layout    where every node stands, and which way its links run
picture   the SVG text
========= =====================================================================
"""

from workflows.drawing.picture import Words, draw, element_id

__all__ = ["Words", "draw", "element_id"]
