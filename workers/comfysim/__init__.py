"""The stand-in ComfyUI: speaks the recorded protocol of ComfyUI 0.27.0 without a GPU or a model.

Image and video nodes really run; samplers paint a storyboard frame from prompt, seed and size.
Everything it says about its machine carries the mark SIMULATED.
"""

COMFYUI_VERSION = "0.27.0"
