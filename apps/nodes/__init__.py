"""GPU nodes: what they report, what they can do, what is wanted of them."""
