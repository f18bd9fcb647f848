"""Which job next, on which node: what the dispatcher decides with, free of side effects.

``demand`` (lanes and their heads) meets ``supply`` (nodes and their seats) in ``match``; ``shares`` says
whose turn it is, ``reasons`` why the rest waits.
"""
