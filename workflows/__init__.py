"""ComfyUI graphs with manifests, and the plain library that reads, checks and binds them.

A template is a folder: ``graph.json`` (ComfyUI's API format) says what is computed, ``manifest.json``
says which node's which input takes what. Standard library only, so a GPU node can use it as it is.

========== =====================================================================
load       read a template folder, or a pair of documents kept in a database
validate   check a graph against a node catalogue, a manifest against its graph
loras      insert LoRA loaders behind the models a manifest names
convert    what people save from ComfyUI, or the media it writes, to a graph it takes
finding    what can be set in a graph, by type and links; a draft of its manifest
drawing    a graph as an SVG picture
compare    what differs between two graphs or manifests
dry_run    what a job would send, and where each value comes from
bind       write a shot's values into a graph; what a job needs (VRAM, frames, models)
========== =====================================================================
"""
