"""The form in which a person completes what was found in a graph.

========= =====================================================================
places    the inputs a role could be written to, as choices
fields    a box of such places
plain     any other field with its box
rows      rows of fields: memory, model files, packs
absence   what becomes of the graph without a file
form      the form, made for one graph and one manifest
document  a manifest document of what the form says
evidence  what is known of the memory of workflows like it
========= =====================================================================
"""
