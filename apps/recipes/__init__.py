"""Recipes: named chains of templates, rendered shot by shot through gates that people open."""
