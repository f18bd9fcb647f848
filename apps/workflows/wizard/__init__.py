"""The form in which a person completes what was found in a graph.

========= =====================================================================
places    the inputs a role could be written to, as choices
form      the form, made for one graph and one manifest
document  a manifest document of what the form says
marks     the picture beside it
========= =====================================================================
"""
