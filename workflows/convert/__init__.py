"""From a workflow as ComfyUI saves it to the graph that ComfyUI takes.

People save workflows in UI format (nodes, links, subgraphs); ``/prompt`` takes API format. ComfyUI's own
web client converts, and this package follows it: the same node ids, classes and inputs. Standard library
only, and no more than a document and a node catalogue is needed.

=========== =====================================================================
document    the saved file as nodes, links and subgraphs; numbering makes ids unique
grouping    what a group node of 2024 shows of its nodes; grouped makes it a subgraph
declared    what inputs a class has, in the client's order
widgets     what stands for an input, and what it holds at first
panel       one node's inputs and widgets; filling puts the saved values in
places      every node where it stands, subgraphs unfolded
trace       where a linked value really comes from; types and promoted help
primitives  values written into other nodes' widgets, within their limits
texts       choices in prompts, names of files
write       the graph in API format; unknown says which classes it has not
already     a graph that is in API format when it comes
media       the graph out of a picture, film or sound that ComfyUI wrote
files       any of these out of a file
=========== =====================================================================
"""

from workflows.convert.converting import Conversion, convert, to_api

__all__ = ["Conversion", "convert", "to_api"]
