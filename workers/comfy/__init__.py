"""The ComfyUI client: submit, follow, reconcile, collect, cancel, free (ComfyUI 0.27 and 0.3.64).

=================  ============================================================================
errors             every way it can go wrong, each with the class that decides what happens next
wire               HTTP to one server; the only place where requests' errors are translated
text               what of its texts may travel
client             what can be asked of ComfyUI
stats              its versions and its device, types checked
rejection          its validation answers, turned into errors
standing           where a prompt stands: pending, running, done, unknown
outputs            the files a finished prompt lists
progress           websocket messages as typed events
fraction           how far a whole graph is
follow             from queued to the real end
model_names        ``\\`` and ``/`` in model names, as this node lists them
=================  ============================================================================
"""
