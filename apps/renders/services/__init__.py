"""What changes jobs and attempts. The way of a render:

submit → dispatch → (the GPU node) → claim → record → media; sweep looks after what got lost on the way.
"""
