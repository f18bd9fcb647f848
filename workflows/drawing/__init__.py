"""Draw a graph in API format as an SVG picture, layered from left to right.

========= =====================================================================
layout    where every node stands, and which way its links run
boxes     a node's box, with its inputs and outputs
picture   the SVG text
========= =====================================================================
"""

from workflows.drawing.boxes import Words, element_id
from workflows.drawing.picture import draw

__all__ = ["Words", "draw", "element_id"]
