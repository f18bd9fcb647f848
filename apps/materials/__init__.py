"""A shot's own material: plates, masks, control pictures, driving videos, sounds that people bring."""
