"""What ComfyUI checks before it queues a prompt, with its error types, texts and oddities."""

from __future__ import annotations

import traceback
import uuid
from dataclasses import dataclass, field
from typing import Any

from workers.comfysim.catalogue import FILE_INPUTS, Catalogue, combo_options, inputs_of
from workers.comfysim.files import Folders, OutsideFolderError

Prompt = dict[str, Any]
Error = dict[str, Any]

_LONGEST_LIST_SHOWN = 20


@dataclass
class Verdict:
    """`error` is None when at least one output can run; `node_errors` tells of those dropped."""

    error: Error | None
    outputs: list[str] = field(default_factory=list)
    node_errors: dict[str, Any] = field(default_factory=dict)


def error(kind: str, message: str, details: str = "", extra_info: dict[str, Any] | None = None) -> Error:
    return {"type": kind, "message": message, "details": details, "extra_info": extra_info or {}}


def is_canonical_id(value: object) -> bool:
    """Whether a prompt id has the one form accepted: a lower-case hyphenated UUID."""
    if not isinstance(value, str):
        return False
    try:
        return str(uuid.UUID(value)) == value
    except ValueError:
        return False


def validate(prompt: Prompt, catalogue: Catalogue, folders: Folders, targets: list[str] | None) -> Verdict:
    """Check a prompt; values given as text are replaced by numbers in place, as ComfyUI does.

    `targets` limits the outputs to run. Raises TypeError on a prompt whose nodes are not objects
    (ComfyUI answers a plain 500 then).
    """
    outputs = []
    old = not catalogue.version.names_missing_nodes
    # The old one looks up what it walks over, so that an empty list passes for a prompt without nodes.
    nodes = ((node_id, prompt[node_id]) for node_id in prompt) if old else prompt.items()
    for node_id, node in nodes:
        missing = _missing_class(node_id, node, catalogue)
        if missing:
            return Verdict(missing)
        if catalogue.is_output(node["class_type"]) and (targets is None or node_id in targets):
            outputs.append(node_id)
    if not outputs:
        return Verdict(error("prompt_no_outputs", "Prompt has no outputs"))
    return _Check(prompt, catalogue, folders).outputs(outputs)


def _missing_class(node_id: str, node: dict[str, Any], catalogue: Catalogue) -> Error | None:
    if not catalogue.version.names_missing_nodes:
        return _missing_class_in_words(node_id, node, catalogue)
    if not isinstance(node, dict):
        raise TypeError(f"node {node_id} is a {type(node).__name__}, not an object")
    if "class_type" not in node:
        what = f"Node 'ID #{node_id}' has no class_type."
        message = f"{what} The workflow may be corrupted or a custom node is missing."
        names: dict[str, Any] = {"class_type": None, "node_title": None}
    elif node["class_type"] not in catalogue:
        title = node.get("_meta", {}).get("title", node["class_type"])
        message = f"Node '{title}' not found. The custom node may not be installed."
        names = {"class_type": node["class_type"], "node_title": title}
    else:
        return None
    return error("missing_node_type", message, f"Node ID '#{node_id}'", {"node_id": node_id, **names})


def _missing_class_in_words(node_id: str, node: dict[str, Any], catalogue: Catalogue) -> Error | None:
    if "class_type" not in node:
        message = "Cannot execute because a node is missing the class_type property."
    elif node["class_type"] not in catalogue:
        message = f"Cannot execute because node {node['class_type']} does not exist."
    else:
        return None
    return error("invalid_prompt", message, f"Node ID '#{node_id}'")


class _Check:
    """One validation run: remembers the verdict on each node it has met."""

    def __init__(self, prompt: Prompt, catalogue: Catalogue, folders: Folders) -> None:
        self.prompt = prompt
        self.catalogue = catalogue
        self.folders = folders
        self.verdicts: dict[str, tuple[bool, list[Error]]] = {}
        self.path: list[str] = []

    def outputs(self, outputs: list[str]) -> Verdict:
        good: list[str] = []
        failed: list[Error] = []
        node_errors: dict[str, Any] = {}
        for output in outputs:
            try:
                valid, reasons = self.node(output)
            except (KeyError, IndexError, TypeError) as exc:
                valid, reasons = False, [_exception_error("exception_during_validation", "node", exc)]
                self.verdicts[output] = (valid, reasons)
            if valid:
                good.append(output)
                continue
            failed += reasons
            self._blame(output, node_errors)
        if good:
            return Verdict(None, good, node_errors)
        details = "\n".join(f"{reason['message']}: {reason['details']}" for reason in failed)
        top = error("prompt_outputs_failed_validation", "Prompt outputs failed validation", details)
        return Verdict(top, [], node_errors)

    def _blame(self, output: str, node_errors: dict[str, Any]) -> None:
        # Every node found bad so far is said to break this output, related or not: recorded so.
        for node_id, (valid, reasons) in self.verdicts.items():
            if valid or not reasons:
                continue
            class_type = self.prompt[node_id]["class_type"]
            entry = {"errors": reasons, "dependent_outputs": [], "class_type": class_type}
            node_errors.setdefault(node_id, entry)["dependent_outputs"].append(output)

    def node(self, node_id: str) -> tuple[bool, list[Error]]:
        """Check a node and all it depends on: (may it run, its own errors)."""
        if node_id in self.verdicts:
            return self.verdicts[node_id]
        if node_id in self.path:
            return self._cycle(node_id)
        self.path.append(node_id)
        try:
            verdict = self._inputs(node_id)
        finally:
            self.path.pop()
        return self.verdicts.setdefault(node_id, verdict)

    def _cycle(self, node_id: str) -> tuple[bool, list[Error]]:
        members = self.path[self.path.index(node_id) :]
        if not self.catalogue.version.tells_cycles:
            return False, []
        names = [f"{member} ({self.prompt[member]['class_type']})" for member in [*members, node_id]]
        for member in members:
            extra = {"node_id": member, "cycle_nodes": members}
            reason = error("dependency_cycle", "Dependency cycle detected", " -> ".join(names), extra)
            self.verdicts[member] = (False, [reason])
        return self.verdicts[node_id]

    def _inputs(self, node_id: str) -> tuple[bool, list[Error]]:
        node = self.prompt[node_id]
        class_type = node["class_type"]
        inputs = node["inputs"]
        errors: list[Error] = []
        sound = True
        for name, (section, spec) in inputs_of(self.catalogue[class_type]).items():
            if name not in inputs:
                # Growing and dynamic inputs (COMFY_…_V3) arrive under names of their own: images.image0.
                if section == "required" and not str(spec[0]).startswith("COMFY_"):
                    errors.append(
                        error(
                            "required_input_missing", "Required input is missing", name, {"input_name": name}
                        )
                    )
                continue
            value = inputs[name]
            if isinstance(value, list):
                reason, linked_sound = self._link(name, spec, value)
                sound = sound and linked_sound
            elif class_type in FILE_INPUTS and FILE_INPUTS[class_type] == name:
                reason = self._file(name, value)
            else:
                reason = _value(name, spec, inputs)
            if reason:
                errors.append(reason)
        return (sound and not errors, errors)

    def _link(self, name: str, spec: list[Any], value: list[Any]) -> tuple[Error | None, bool]:
        extra = {"input_name": name, "input_config": _config(spec)}
        if len(value) != 2:
            message = "Bad linked input, must be a length-2 list of [node_id, slot_index]"
            return error("bad_linked_input", message, name, extra | {"received_value": value}), True
        source, slot = value
        received = self.catalogue[self.prompt[source]["class_type"]]["output"][slot]
        if not _fits(received, spec[0]):
            details = f"{name}, received_type({received}) mismatch input_type({spec[0]})"
            extra |= {"received_type": received, "linked_node": value}
            return error(
                "return_type_mismatch", "Return type mismatch between linked nodes", details, extra
            ), True
        try:
            return None, self.node(source)[0]
        except (KeyError, IndexError, TypeError) as exc:
            reason = _exception_error("exception_during_inner_validation", "inner node", exc)
            reason["extra_info"] |= extra | {"exception_message": str(exc), "linked_node": value}
            self.verdicts[source] = (False, [reason])
            return None, False

    def _file(self, name: str, value: object) -> Error | None:
        try:
            if self.folders.annotated(str(value)).is_file():
                return None
        except OutsideFolderError:
            pass  # reported below like any other file that is not there
        what = {"image": "image", "file": "video", "audio": "audio", "latent": "latent"}[name]
        details = f"{name} - Invalid {what} file: {value}"
        return error(
            "custom_validation_failed", "Custom validation failed for node", details, {"input_name": name}
        )


def _config(spec: list[Any]) -> list[Any]:
    return [spec[0], spec[1] if len(spec) > 1 else {}]


def _fits(received: str, wanted: object) -> bool:
    if "*" in (wanted, received) or any(str(kind).startswith("COMFY_") for kind in (wanted, received)):
        return True
    if isinstance(wanted, list):
        return received in ("COMBO", wanted)
    return bool(set(str(received).split(",")) & set(str(wanted).split(",")))


def _value(name: str, spec: list[Any], inputs: dict[str, Any]) -> Error | None:
    """Convert a widget's value in place and check it against its range or list."""
    kind, config = _config(spec)
    extra = {"input_name": name, "input_config": [kind, config], "received_value": inputs[name]}
    if isinstance(inputs[name], dict) and "__value__" in inputs[name]:
        inputs[name] = inputs[name]["__value__"]
    convert = {"INT": int, "FLOAT": float, "STRING": str, "BOOLEAN": bool}.get(
        kind if isinstance(kind, str) else ""
    )
    if convert:
        try:
            inputs[name] = convert(inputs[name])
        except (TypeError, ValueError, OverflowError) as exc:
            message = f"Failed to convert an input value to a {kind} value"
            details = f"{name}, {inputs[name]}, {exc}"
            return error("invalid_input_type", message, details, extra | {"exception_message": str(exc)})
    value = inputs[name]
    extra["received_value"] = value
    if "min" in config and value < config["min"]:
        message = f"Value {value} smaller than min of {config['min']}"
        return error("value_smaller_than_min", message, name, extra)
    if "max" in config and value > config["max"]:
        message = f"Value {value} bigger than max of {config['max']}"
        return error("value_bigger_than_max", message, name, extra)
    options = combo_options(spec)
    if options is not None and value not in options:
        shown = str(options)
        if len(options) > _LONGEST_LIST_SHOWN:
            shown = f"(list of length {len(options)})"
            extra["input_config"] = None
        return error("value_not_in_list", "Value not in list", f"{name}: '{value}' not in {shown}", extra)
    return None


def _exception_error(kind: str, what: str, exc: Exception) -> Error:
    details = str(exc)
    if isinstance(exc, IndexError):
        details = "tuple index out of range"  # slots are tuples there and lists here
    frames = [
        f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}\n'
        for frame in traceback.extract_tb(exc.__traceback__)
    ]
    extra = {"exception_type": type(exc).__name__, "traceback": frames}
    return error(kind, f"Exception when validating {what}", details, extra)
