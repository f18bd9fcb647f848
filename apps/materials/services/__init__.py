"""What changes material: it comes in, is looked at, gets another name. What takes it away knows jobs, and is
with them (apps.renders.services.material).
"""

from apps.materials.services.adding import Added, add_material
from apps.materials.services.changing import change_material
from apps.materials.services.looking import process_material

__all__ = ["Added", "add_material", "change_material", "process_material"]
