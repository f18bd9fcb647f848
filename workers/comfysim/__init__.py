"""The stand-in ComfyUI: speaks the recorded protocols of 0.27.0 and 0.3.64 without a GPU or a model.

Image and video nodes really run; samplers paint a storyboard frame from prompt, seed and size.
Everything it says about its machine carries the mark SIMULATED.
"""
