"""The sentences of a search, by code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from workflows.convert.saying import shown
from workflows.finding.found import Why
from workflows.wording import Said
from workflows.wording import said as _

SENTENCES: Final[Mapping[str, Said]] = {
    "conditions": _("The text that reaches %(input)s of node %(sampler)s is written here."),
    "prompt_of_maker": _("Node %(node)s makes the primary output, and this is its text."),
    "computed_text": _("Other nodes make the text of node %(node)s; a value given here replaces it."),
    "noise": _("It decides the noise of node %(sampler)s."),
    "seed_of_maker": _("Node %(node)s makes the primary output, and this is its seed."),
    "size_of": _("Node %(sampler)s works on the size made here."),
    "size_of_maker": _("Node %(node)s makes the primary output in this size."),
    "resize": _("Pictures are brought to this size before node %(sampler)s works on them."),
    "length_of": _("Node %(node)s makes this many frames."),
    "computed_number": _("Other nodes reckon this number of node %(node)s; a value given here replaces it."),
    "plays_at": _("Node %(node)s plays the frames at this speed."),
    "steps_of": _("Node %(sampler)s takes this many steps."),
    "cfg_of": _("Node %(node)s weighs the texts by it."),
    "guidance_of": _("Node %(node)s sets the guidance that the model was distilled with."),
    "denoise_of": _("Node %(sampler)s starts from a picture, and changes it this much."),
    "strength_of": _("Node %(node)s applies its picture this strongly."),
    "file_reaches": _("Node %(node)s reaches %(input)s of node %(taker)s."),
    "file_reaches_nothing": _("Node %(node)s reads a file; where it goes to says nothing about its role."),
    "file_unsaved": _("Node %(node)s reads a file of which nothing reaches what is saved."),
    "file_untaken": _("Node %(node)s reads a file that nobody takes."),
    "file_without_role": _("Node %(node)s reads a file for which no role is left."),
    "alpha_mask": _("The mask is the transparent part of the picture that node %(node)s reads."),
    "output_name": _("Node %(node)s saves files under it."),
    "lora_source": _("The model of node %(sampler)s comes from here."),
    "several_outputs": _("Several nodes save; node %(node)s is taken for the primary output."),
    "only_previews": _("Nothing is saved: node %(node)s only shows a preview. Add a node such as SaveImage."),
    "no_output": _("No node saves a picture or a clip."),
    "size_follows": _("The size follows a picture or another node: node %(node)s takes it by link."),
    "fps_follows": _("The speed follows another node: node %(node)s takes it by link."),
    "negative_zeroed": _("The negative text of node %(sampler)s is switched off by node %(node)s."),
    "no_sampler": _("No sampler leads to the primary output."),
    "unknown_class": _(
        "Unknown here is the class of node %(node)s; it is judged by the names of its inputs."
    ),
    "sigmas_fixed": _("The steps of node %(sampler)s are a fixed list (node %(node)s)."),
    "too_large": _("The graph is too large to be searched to its end; look at what was found."),
    "ask_vram": _("How much VRAM does it need? Give a figure with its source for each precision."),
    "ask_estimate": _("The VRAM figure is an estimate from the sizes of the model files."),
    "ask_family": _("Which family of models is it (base_model)? Without it no LoRA is loaded."),
    "ask_longest": _("Is the longest clip right (frame_rule)? It is the length the graph was saved with."),
    "ask_follows": _("How much longer, faster or larger than its source is the clip (follows)?"),
    "ask_key": _("A paid service renders this: whose key is used, and what may it cost?"),
    "ask_output": _("No node saves a picture or a clip: add one to the graph."),
    "ask_folder": _("In which folder of models/ does %(model)s belong?"),
}


def why(code: str, **params: str) -> Why:
    """A reason in words that are safe to print: ids and class names come from a stranger's file."""
    clean = {name: shown(value, quoted=False) for name, value in params.items()}
    return Why(code, clean, Said(SENTENCES[code].form, clean))
