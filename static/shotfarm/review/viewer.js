/* The page where takes are looked at: one, two against each other, or a row of them played through.

   The page's own facts stand in data-config (apps/review/playing.py); every word it shows is in the page. */

import { Composer } from "./composer.js";
import { listen } from "./keys.js";
import { Notes } from "./notes.js";
import { Sketch } from "./sketch.js";
import { describe } from "./slate.js";
import { TimeLine } from "./timeline.js";
import { Transport } from "./transport.js";
import { Verdicts } from "./verdicts.js";
import { View } from "./view.js";

/** @typedef {import("./clip.js").Clip} Clip */

/**
 * @typedef {object} Item  A take in the row.
 * @property {string} take    its id
 * @property {string} code    of its shot
 * @property {string} stage   which department made it
 * @property {string} what    stage and number
 * @property {number} first   the number of its first frame
 * @property {Clip} clip
 * @property {string} verdict
 * @property {string} verdict_label
 * @property {boolean} selected
 * @property {string} page
 * @property {{review: boolean, comment: boolean}} may  what the reader may do to it
 */

/**
 * @typedef {object} Config
 * @property {number} fps
 * @property {Item[]} items
 * @property {number} a
 * @property {number|null} b
 * @property {import("./view.js").Mode} mode
 * @property {boolean} reel  whether the next take follows the last frame
 * @property {{list: string, add: string, one: string, still: string, review: string, select: string}} urls
 * @property {{review: boolean, comment: boolean, resolve: boolean}} may
 * @property {string} playlist
 * @property {{before: string, after: string}} ways  where the keys for the shot before and after lead
 */

class Viewer {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    /** @type {Config} */
    this.config = JSON.parse(root.dataset.config ?? "{}");
    this.items = this.config.items;
    this.a = this.config.a;
    /** @type {number|null} */
    this.b = this.config.b;
    this.find = (/** @type {string} */ name) => /** @type {HTMLElement|null} */ (root.querySelector(name));
    const need = (/** @type {string} */ name) => /** @type {HTMLElement} */ (root.querySelector(name));
    this.view = new View(need(".sf-view"), this.config.fps);
    this.line = need("[data-say]");
    this.transport = new Transport({
      fps: this.config.fps,
      screens: () => this.view.screens,
      changed: () => this.tell(),
      ended: () => this.config.reel && this.items.length > 1 && this.move(1),
    });
    this.timeLine = new TimeLine(root, {
      fps: this.config.fps,
      transport: this.transport,
      first: () => (this.item ? this.item.first : 0),
      chosen: (note) => this.goToNote(note),
    });
    this.notes = new Notes(need("[data-notes-panel]"), {
      listUrl: (take) => this.config.urls.list.replace("TAKE", take),
      addUrl: this.config.urls.add,
      noteUrl: (id) => this.config.urls.one.replace("NOTE", id),
      stillUrl: (id) => this.config.urls.still.replace("NOTE", id),
      mayComment: this.config.may.comment,
      mayResolve: this.config.may.resolve,
      playlist: this.config.playlist,
      chosen: (note) => this.goToNote(note),
      changed: () => this.mark(),
      say: (words) => this.say(words),
    });
    this.sketch = new Sketch(root, this);
    const form = this.find("form[data-new-note]");
    this.composer = form instanceof HTMLFormElement ? new Composer(form, this) : null;
    this.verdicts = this.config.may.review ? new Verdicts(root, this) : null;
    const deeds = this.#deeds();
    this.#buttons(deeds);
    listen(deeds, this.sketch);
    this.open(this.a, this.b);
    this.view.setMode(this.config.mode);
    this.pressModes();
    root.dataset.ready = "1";
  }

  get item() {
    return this.items[this.a];
  }

  /** Show takes. @param {number} a @param {number|null} b @param {number} [frame] */
  open(a, b, frame = 0) {
    if (!this.items[a]) return;
    this.a = a;
    this.b = b;
    this.sketch.stop();
    this.sketch.show([], null);
    const second = b === null ? null : this.items[b];
    this.view.show(this.item.clip, second ? second.clip : null);
    this.transport.load(Math.max(this.item.clip.frames, second ? second.clip.frames : 1), frame);
    const next = this.items[a + 1];
    if (this.config.reel && next) this.view.a.prepare(next.clip);
    this.notes.show(this.item.take);
    this.describe();
    this.pressModes();
  }

  /** The take before or after; false where there is none to go to. @param {number} way */
  move(way) {
    const next = this.a + way;
    const wraps = this.transport.loop && this.items.length > 1;
    if (!this.items[next] && !wraps) return false;
    this.open((next + this.items.length) % this.items.length, this.b === null ? null : this.b);
    return true;
  }

  /** Exchange A and B. */
  swap() {
    if (this.b !== null) this.open(this.b, this.a, this.transport.frame);
  }

  /** @param {import("./notes.js").Note} note */
  goToNote(note) {
    if (note.frame !== null) this.transport.go(note.frame - this.item.first);
    this.sketch.stop();
    this.sketch.show(note.drawing, this.transport.frame);
    for (const row of this.root.querySelectorAll("[data-id]")) {
      row.classList.toggle("sf-at", row instanceof HTMLElement && row.dataset.id === note.id);
    }
  }

  /** Say where we are, and show what is drawn there. */
  tell() {
    this.timeLine.tell();
    this.sketch.follow();
  }

  /** Say what is shown. */
  describe() {
    if (this.composer) this.composer.form.hidden = !this.item?.may.comment;
    describe(this.root, this.items, this.a, this.b);
  }

  /** The notes have changed: their marks, and what they have drawn. */
  mark() {
    this.timeLine.mark(this.notes.now);
    this.sketch.showNoted();
  }

  /** @param {string} words */
  say(words) {
    this.line.textContent = words;
    this.line.hidden = !words;
  }

  pressModes() {
    for (const button of this.root.querySelectorAll("[data-mode-button]")) {
      if (!(button instanceof HTMLButtonElement)) continue;
      button.disabled = this.b === null && button.dataset.modeButton !== "one";
      button.setAttribute("aria-pressed", String(button.dataset.modeButton === this.view.mode));
    }
    const loop = this.find("[data-act=loop]");
    loop?.setAttribute("aria-pressed", String(this.transport.loop));
  }

  /** @param {import("./view.js").Mode} mode */
  setMode(mode) {
    this.view.setMode(mode);
    this.pressModes();
  }

  /** What the buttons and the keys do. @returns {Record<string, () => void>} */
  #deeds() {
    const { transport, view } = this;
    return {
      play: () => transport.toggle(),
      back: () => transport.step(-1),
      forward: () => transport.step(1),
      back10: () => transport.go(transport.frame - 10),
      forward10: () => transport.go(transport.frame + 10),
      begin: () => transport.go(0),
      end: () => transport.go(transport.frames - 1),
      reverse: () => transport.shuttle(-1),
      stop: () => transport.go(transport.frame),
      run: () => transport.shuttle(1),
      loop: () => { transport.loop = !transport.loop; this.pressModes(); },
      mute: () => this.mute(),
      a: () => { if (view.mode === "flicker") this.setMode("one"); view.setTop("a"); },
      b: () => { if (view.mode === "flicker") this.setMode("one"); view.setTop("b"); },
      swap: () => this.swap(),
      one: () => this.setMode("one"),
      side: () => this.setMode("side"),
      wipe: () => this.setMode("wipe"),
      flicker: () => this.setMode("flicker"),
      difference: () => this.setMode("difference"),
      zoomIn: () => view.zoomBy(1.5),
      zoomOut: () => view.zoomBy(1 / 1.5),
      fit: () => view.zoomOut(),
      before: () => this.way(-1),
      after: () => this.way(1),
      note: () => this.composer?.write(),
      draw: () => this.composer?.draw(),
      full: () => this.fullScreen(),
      keys: () => this.help(),
      approve: () => this.verdicts?.ask("approved"),
      retake: () => this.verdicts?.ask("retake"),
      reject: () => this.verdicts?.ask("rejected"),
      select: () => this.verdicts?.select(),
    };
  }

  /** To the shot before or after: in a row of takes to its neighbour, else to the neighbour's page. @param {-1|1} way */
  way(way) {
    const { before, after } = this.config.ways;
    const address = way < 0 ? before : after;
    if (address) window.location.assign(address);
    else this.move(way);
  }

  mute() {
    const video = this.view.a.screen?.video;
    if (video) video.muted = !video.muted;
    this.find("[data-act=mute]")?.setAttribute("aria-pressed", String(Boolean(video && !video.muted)));
  }

  async fullScreen() {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await this.root.requestFullscreen();
  }

  help() {
    const help = this.root.querySelector("dialog[data-help]");
    if (help instanceof HTMLDialogElement) help.showModal();
  }

  /** @param {Record<string, () => void>} deeds */
  #buttons(deeds) {
    this.root.addEventListener("click", (event) => {
      const target = /** @type {Element} */ (event.target);
      const button = target.closest("[data-act], [data-mode-button]");
      if (button instanceof HTMLElement) deeds[button.dataset.act ?? button.dataset.modeButton ?? ""]?.();
      const close = target.closest("dialog [data-close]");
      if (close) close.closest("dialog")?.close();
      const tile = target.closest("[data-item]");
      if (tile instanceof HTMLElement && !target.closest("input, a, [data-item-tool]")) {
        const index = Number(tile.dataset.item);
        if (event.shiftKey || target.closest("[data-as-b]")) this.compareWith(index);
        else this.open(index, this.b === index ? null : this.b);
      }
    });
  }

  /** @param {number} index of the take that is to be B */
  compareWith(index) {
    if (index === this.a) return;
    const mode = this.view.mode === "one" ? "side" : this.view.mode;
    this.open(this.a, this.b === index ? null : index, this.transport.frame);
    this.setMode(mode);
  }
}

for (const root of document.querySelectorAll("[data-review]")) new Viewer(/** @type {HTMLElement} */ (root));
