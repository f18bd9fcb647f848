/* What is drawn over the picture: what is being drawn, else what open notes have on the frame that is shown. */

import { Pad } from "./drawing.js";

/** @typedef {import("./drawing.js").Stroke} Stroke */

/**
 * @typedef {object} Page  What the viewer offers.
 * @property {import("./viewer.js").Item} item  the take that is looked at
 * @property {import("./view.js").View} view
 * @property {import("./transport.js").Transport} transport
 * @property {{now: import("./notes.js").Note[]}} notes
 * @property {(mode: import("./view.js").Mode) => void} setMode
 */

export class Sketch {
  /** @param {HTMLElement} root @param {Page} page */
  constructor(root, page) {
    this.root = root;
    this.page = page;
    /** @type {number|null} the frame whose drawings are shown; null: none was looked for */
    this.shownAt = null;
    this.pad = new Pad(page.view.a.svg, () => this.#drawn());
  }

  /** @param {Stroke[]} strokes @param {number|null} at frame */
  show(strokes, at) {
    this.shownAt = at;
    if (!this.pad.on) this.page.view.a.draw(strokes);
  }

  /** Show what open notes have drawn on this frame; nothing while it plays. */
  showNoted() {
    const { frame, playing } = this.page.transport;
    const number = (this.page.item ? this.page.item.first : 0) + frame;
    const here = this.page.notes.now.filter((note) => !note.resolved_at && note.frame === number);
    this.show(playing ? [] : here.flatMap((note) => note.drawing), playing ? null : frame);
  }

  /** The frame or the pace has changed. */
  follow() {
    const { frame, playing } = this.page.transport;
    if (this.shownAt !== (playing ? null : frame)) this.showNoted();
    if (this.pad.on && playing) this.stop();
  }

  /** @param {string} [tool] */
  start(tool = "pen") {
    const { transport, view } = this.page;
    transport.go(transport.frame);
    if (view.mode !== "side") { this.page.setMode("one"); view.setTop("a"); }
    if (!this.pad.on) this.show([], null);
    this.pad.tool = /** @type {"pen"|"arrow"|"eraser"} */ (tool);
    this.pad.open(true);
    this.pad.show();
  }

  stop() {
    this.pad.open(false);
    this.pad.clear();
    this.showNoted();
  }

  /** The picture keeps it when its size changes; the tools say which is in hand. */
  #drawn() {
    this.page.view.a.strokes = this.pad.strokes;
    for (const tool of this.root.querySelectorAll("[data-tool]")) {
      tool.setAttribute("aria-pressed", String(this.pad.on && tool instanceof HTMLElement && tool.dataset.tool === this.pad.tool));
    }
    for (const colour of this.root.querySelectorAll("[data-colour]")) {
      colour.setAttribute("aria-pressed", String(colour instanceof HTMLElement && colour.dataset.colour === this.pad.colour));
    }
  }
}
