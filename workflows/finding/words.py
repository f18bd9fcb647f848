"""The sentences of a search. A page translates ``SENTENCES[code]`` and puts the params in."""

from __future__ import annotations

from typing import Final

from workflows.convert.saying import shown
from workflows.finding.found import Why

SENTENCES: Final = {
    "conditions": "The text that reaches %(input)s of node %(sampler)s is written here.",
    "prompt_of_maker": "Node %(node)s makes the primary output, and this is its text.",
    "computed_text": "Other nodes make the text of node %(node)s; a value given here replaces it.",
    "noise": "It decides the noise of node %(sampler)s.",
    "seed_of_maker": "Node %(node)s makes the primary output, and this is its seed.",
    "size_of": "Node %(sampler)s works on the size made here.",
    "size_of_maker": "Node %(node)s makes the primary output in this size.",
    "resize": "Pictures are brought to this size before node %(sampler)s works on them.",
    "length_of": "Node %(node)s makes this many frames.",
    "computed_number": "Other nodes reckon this number of node %(node)s; a value given here replaces it.",
    "plays_at": "Node %(node)s plays the frames at this speed.",
    "steps_of": "Node %(sampler)s takes this many steps.",
    "cfg_of": "Node %(node)s weighs the texts by it.",
    "guidance_of": "Node %(node)s sets the guidance that the model was distilled with.",
    "denoise_of": "Node %(sampler)s starts from a picture, and changes it this much.",
    "strength_of": "Node %(node)s applies its picture this strongly.",
    "file_reaches": "Node %(node)s reaches %(input)s of node %(taker)s.",
    "file_reaches_nothing": "Node %(node)s reads a file; where it goes to says nothing about its role.",
    "file_unsaved": "Node %(node)s reads a file of which nothing reaches what is saved.",
    "file_untaken": "Node %(node)s reads a file that nobody takes.",
    "file_without_role": "Node %(node)s reads a file for which no role is left.",
    "alpha_mask": "The mask is the transparent part of the picture that node %(node)s reads.",
    "output_name": "Node %(node)s saves files under it.",
    "lora_source": "The model of node %(sampler)s comes from here.",
    "several_outputs": "Several nodes save; node %(node)s is taken for the primary output.",
    "only_previews": "Nothing is saved: node %(node)s only shows a preview. Add a node such as SaveImage.",
    "no_output": "No node saves a picture or a clip.",
    "size_follows": "The size follows a picture or another node: node %(node)s takes it by link.",
    "fps_follows": "The speed follows another node: node %(node)s takes it by link.",
    "negative_zeroed": "The negative text of node %(sampler)s is switched off by node %(node)s.",
    "no_sampler": "No sampler leads to the primary output.",
    "unknown_class": "Unknown here is the class of node %(node)s; it is judged by the names of its inputs.",
    "sigmas_fixed": "The steps of node %(sampler)s are a fixed list (node %(node)s).",
    "too_large": "The graph is too large to be searched to its end; look at what was found.",
    "ask_vram": "How much VRAM does it need? Give a figure with its source for each precision.",
    "ask_estimate": "The VRAM figure is an estimate from the sizes of the model files.",
    "ask_family": "Which family of models is it (base_model)? Without it no LoRA is loaded.",
    "ask_longest": "Is the longest clip right (frame_rule)? It is the length the graph was saved with.",
    "ask_follows": "How much longer, faster or larger than its source is the clip (follows)?",
    "ask_key": "A paid service renders this: whose key is used, and what may it cost?",
    "ask_output": "No node saves a picture or a clip: add one to the graph.",
    "ask_folder": "In which folder of models/ does %(model)s belong?",
}
"""By code; in Python's ``%`` form."""


def why(code: str, **params: str) -> Why:
    """A reason in words that are safe to print: ids and class names come from a stranger's file."""
    clean = {name: shown(value, quoted=False) for name, value in params.items()}
    return Why(code, clean, SENTENCES[code] % clean)
