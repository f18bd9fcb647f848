/* Keys: which does what, and when they belong to somebody else. */

/** @type {Record<string, string>} the deed of each key; "S-" is with Shift */
const KEYS = {
  " ": "play", ArrowLeft: "back", ArrowRight: "forward", "S-ArrowLeft": "back10", "S-ArrowRight": "forward10",
  Home: "begin", End: "end", j: "reverse", k: "stop", l: "run", o: "loop", m: "mute", 1: "a", 2: "b", x: "swap",
  s: "side", w: "wipe", f: "flicker", d: "difference", q: "one", "+": "zoomIn", "=": "zoomIn", "-": "zoomOut", 0: "fit",
  "[": "before", "]": "after", PageUp: "before", PageDown: "after", n: "note", p: "draw", "?": "keys", "S-?": "keys",
  "S-+": "zoomIn", "S-A": "approve", "S-R": "retake", "S-X": "reject", "S-S": "select", "S-F": "full",
};

/**
 * @param {Record<string, () => void>} deeds  by the names above
 * @param {import("./sketch.js").Sketch} sketch  takes back and ends while it is drawn
 */
export function listen(deeds, sketch) {
  document.addEventListener("keydown", (event) => {
    const target = /** @type {Element} */ (event.target);
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) {
      if (sketch.pad.on && (event.ctrlKey || event.metaKey) && event.key === "z") { event.preventDefault(); sketch.pad.undo(); }
      return;
    }
    if (target.closest("input:not([type=checkbox]), textarea, select, [contenteditable], dialog[open]")) return;
    if (event.key === "Escape" && sketch.pad.on) { sketch.stop(); return; }
    const name = KEYS[`${event.shiftKey ? "S-" : ""}${event.key.length === 1 && !event.shiftKey ? event.key.toLowerCase() : event.key}`];
    if (!name) return;
    event.preventDefault();
    deeds[name]();
  });
}
