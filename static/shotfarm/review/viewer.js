/* The page where takes are looked at: one, two against each other, or a row of them played through.

   The page's own facts stand in data-config (apps/review/playing.py); every word it shows is in the page. */

import { timeText } from "./clip.js";
import { Pad } from "./drawing.js";
import { Notes } from "./notes.js";
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
    this.bar = need("[data-bar]");
    this.marks = need("[data-marks]");
    this.head = need("[data-head]");
    this.line = need("[data-say]");
    this.transport = new Transport({
      fps: this.config.fps,
      screens: () => this.view.screens,
      changed: () => this.tell(),
      ended: () => this.config.reel && this.items.length > 1 && this.move(1),
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
    this.verdicts = this.config.may.review ? new Verdicts(root, this) : null;
    /** @type {import("./drawing.js").Stroke[]} what notes have on the frame that is shown */
    this.shownDrawing = [];
    /** @type {number|null} the frame these are of; null: none was looked for */
    this.shownAt = null;
    this.pad = new Pad(this.view.a.svg, () => this.drawTools());
    this.#buttons();
    this.#keys();
    this.#scrub();
    this.#composer();
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
    this.stopDrawing();
    this.showDrawing([], null);
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
    this.stopDrawing();
    this.showDrawing(note.drawing, this.transport.frame);
    for (const row of this.root.querySelectorAll("[data-id]")) {
      row.classList.toggle("sf-at", row instanceof HTMLElement && row.dataset.id === note.id);
    }
  }

  /** @param {import("./drawing.js").Stroke[]} strokes @param {number|null} at frame */
  showDrawing(strokes, at) {
    this.shownDrawing = strokes;
    this.shownAt = at;
    if (!this.pad.on) this.view.a.draw(strokes);
  }

  /** Show what open notes have drawn on this frame; nothing while it plays. */
  showDrawn() {
    const { frame, playing } = this.transport;
    const number = (this.item ? this.item.first : 0) + frame;
    const here = this.notes.now.filter((note) => !note.resolved_at && note.frame === number);
    this.showDrawing(playing ? [] : here.flatMap((note) => note.drawing), playing ? null : frame);
  }

  /** Say where we are. */
  tell() {
    const { frame, frames, playing, rate } = this.transport;
    const first = this.item ? this.item.first : 0;
    const put = (/** @type {string} */ name, /** @type {string} */ text) => {
      for (const place of this.root.querySelectorAll(`[data-put=${name}]`)) if (place.textContent !== text) place.textContent = text;
    };
    put("frame", String(first + frame));
    put("last", String(first + frames - 1));
    put("time", timeText(frame, this.config.fps));
    put("pace", playing && rate !== 1 ? `${rate}×` : "");
    const part = frames > 1 ? frame / (frames - 1) : 0;
    this.head.style.left = `${part * 100}%`;
    this.bar.setAttribute("aria-valuemin", String(first));
    this.bar.setAttribute("aria-valuemax", String(first + frames - 1));
    this.bar.setAttribute("aria-valuenow", String(first + frame));
    this.root.classList.toggle("sf-playing", playing);
    if (this.shownAt !== (playing ? null : frame)) this.showDrawn();
    if (this.pad.on && playing) this.stopDrawing();
  }

  /** What is shown, in the page's head and in the strip. */
  describe() {
    const second = this.b === null ? null : this.items[this.b];
    for (const [side, item] of /** @type {const} */ ([["a", this.item], ["b", second]])) {
      for (const place of this.root.querySelectorAll(`[data-about=${side}]`)) {
        const about = /** @type {HTMLElement} */ (place);
        about.hidden = !item;
        if (!item) continue;
        const code = about.querySelector("[data-code]");
        const what = about.querySelector("[data-what]");
        const verdict = about.querySelector("[data-verdict]");
        if (code) code.textContent = item.code;
        if (what) what.textContent = item.what;
        if (verdict instanceof HTMLElement) {
          verdict.textContent = item.verdict_label;
          verdict.dataset.verdict = item.verdict;
        }
        const star = about.querySelector("[data-star]");
        if (star instanceof HTMLElement) star.hidden = !item.selected;
        const link = about.querySelector("a[data-page]");
        if (link instanceof HTMLAnchorElement && item.page) link.href = item.page;
      }
    }
    for (const tile of this.root.querySelectorAll("[data-item]")) {
      if (!(tile instanceof HTMLElement)) continue;
      const index = Number(tile.dataset.item);
      tile.classList.toggle("sf-is-a", index === this.a);
      tile.classList.toggle("sf-is-b", index === this.b);
      const item = this.items[index];
      const verdict = tile.querySelector("[data-verdict]");
      if (verdict instanceof HTMLElement && item) {
        verdict.textContent = item.verdict_label;
        verdict.dataset.verdict = item.verdict;
      }
      const star = tile.querySelector("[data-star]");
      if (star instanceof HTMLElement && item) star.hidden = !item.selected;
    }
    for (const name of ["approve", "retake", "reject", "select"]) {
      const button = this.find(`[data-act=${name}]`);
      if (button instanceof HTMLButtonElement) button.disabled = !this.item?.may.review;
    }
    if (this.form) this.form.hidden = !this.item?.may.comment;
    this.root.querySelector(".sf-is-a")?.scrollIntoView({ block: "nearest", inline: "nearest" });
    const place = this.find("[data-put=place]");
    if (place) place.textContent = `${this.a + 1} / ${this.items.length}`;
  }

  /** The notes' marks on the time line. */
  mark() {
    const { frames } = this.transport;
    const notes = this.notes.now.filter((note) => note.frame !== null && !note.reply_to);
    this.marks.replaceChildren(...notes.map((note) => {
      const mark = document.createElement("button");
      const at = /** @type {number} */ (note.frame) - this.item.first;
      mark.type = "button";
      mark.title = `${note.frame} · ${note.author}: ${note.text}`;
      mark.className = note.resolved_at ? "sf-mark sf-resolved" : "sf-mark";
      mark.style.left = `${(frames > 1 ? Math.max(0, Math.min(1, at / (frames - 1))) : 0) * 100}%`;
      mark.addEventListener("click", (event) => { event.stopPropagation(); this.goToNote(note); });
      return mark;
    }));
    this.showDrawn();
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

  /** What the buttons and the keys do. */
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
      note: () => this.write(),
      draw: () => this.startDrawing(),
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

  #buttons() {
    const deeds = /** @type {Record<string, () => void>} */ (this.#deeds());
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

  #keys() {
    const deeds = /** @type {Record<string, () => void>} */ (this.#deeds());
    /** @type {Record<string, string>} */
    const keys = {
      " ": "play", ArrowLeft: "back", ArrowRight: "forward", "S-ArrowLeft": "back10", "S-ArrowRight": "forward10",
      Home: "begin", End: "end", j: "reverse", k: "stop", l: "run", o: "loop", m: "mute", 1: "a", 2: "b", x: "swap",
      s: "side", w: "wipe", f: "flicker", d: "difference", q: "one", "+": "zoomIn", "=": "zoomIn", "-": "zoomOut", 0: "fit",
      "[": "before", "]": "after", PageUp: "before", PageDown: "after", n: "note", p: "draw", "?": "keys", "S-?": "keys",
      "S-+": "zoomIn", "S-A": "approve", "S-R": "retake", "S-X": "reject", "S-S": "select", "S-F": "full",
    };
    document.addEventListener("keydown", (event) => {
      const target = /** @type {Element} */ (event.target);
      if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) {
        if (this.pad.on && (event.ctrlKey || event.metaKey) && event.key === "z") { event.preventDefault(); this.pad.undo(); }
        return;
      }
      if (target.closest("input:not([type=checkbox]), textarea, select, [contenteditable], dialog[open]")) return;
      if (event.key === "Escape" && this.pad.on) { this.stopDrawing(); return; }
      const name = keys[`${event.shiftKey ? "S-" : ""}${event.key.length === 1 && !event.shiftKey ? event.key.toLowerCase() : event.key}`];
      if (!name) return;
      event.preventDefault();
      deeds[name]();
    });
  }

  #scrub() {
    const there = (/** @type {PointerEvent} */ event) => {
      const box = this.bar.getBoundingClientRect();
      this.transport.go(((event.clientX - box.left) / box.width) * (this.transport.frames - 1));
    };
    this.bar.addEventListener("pointerdown", (event) => {
      if (event.target instanceof Element && event.target.closest(".sf-mark")) return;
      this.bar.setPointerCapture(event.pointerId);
      there(event);
    });
    this.bar.addEventListener("pointermove", (event) => {
      if (this.bar.hasPointerCapture(event.pointerId)) there(event);
    });
  }

  /** The form for a new note. */
  #composer() {
    const form = this.root.querySelector("form[data-new-note]");
    if (!(form instanceof HTMLFormElement)) return;
    this.form = form;
    const text = /** @type {HTMLTextAreaElement} */ (form.elements.namedItem("text"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send(form, text);
    });
    text.addEventListener("focus", () => this.transport.playing && this.transport.go(this.transport.frame));
    text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
      if (event.key === "Escape") text.blur();
    });
    for (const tool of form.querySelectorAll("[data-tool]")) {
      tool.addEventListener("click", () => this.startDrawing(/** @type {HTMLElement} */ (tool).dataset.tool));
    }
    for (const colour of form.querySelectorAll("[data-colour]")) {
      colour.addEventListener("click", () => {
        this.pad.colour = /** @type {HTMLElement} */ (colour).dataset.colour ?? this.pad.colour;
        this.startDrawing(this.pad.tool === "eraser" ? "pen" : this.pad.tool);
      });
    }
    form.querySelector("[data-undo]")?.addEventListener("click", () => this.pad.undo());
    form.querySelector("[data-clear]")?.addEventListener("click", () => this.stopDrawing());
  }

  /** @param {HTMLFormElement} form @param {HTMLTextAreaElement} text */
  async send(form, text) {
    const strokes = this.pad.strokes;
    if (!text.value.trim() && !strokes.length) return;
    const atFrame = /** @type {HTMLInputElement} */ (form.elements.namedItem("at_frame")).checked || strokes.length > 0;
    const seen = form.elements.namedItem("visibility");
    const done = await this.notes.add({
      text: text.value.trim(),
      frame: atFrame ? this.item.first + this.transport.frame : null,
      drawing: strokes,
      ...(seen instanceof HTMLSelectElement ? { visibility: seen.value } : {}),
    });
    if (!done) return;
    text.value = "";
    this.stopDrawing();
    this.say("");
  }

  write() {
    const text = this.form?.elements.namedItem("text");
    if (text instanceof HTMLTextAreaElement) text.focus();
  }

  /** @param {string} [tool] */
  startDrawing(tool = "pen") {
    if (!this.form) return;
    this.transport.go(this.transport.frame);
    if (this.view.mode !== "side") { this.setMode("one"); this.view.setTop("a"); }
    if (!this.pad.on) this.showDrawing([], null);
    this.pad.tool = /** @type {"pen"|"arrow"|"eraser"} */ (tool);
    this.pad.open(true);
    this.pad.show();
  }

  stopDrawing() {
    this.pad.open(false);
    this.pad.clear();
    this.showDrawn();
  }

  drawTools() {
    this.view.a.strokes = this.pad.strokes;
    for (const tool of this.root.querySelectorAll("[data-tool]")) {
      tool.setAttribute("aria-pressed", String(this.pad.on && tool instanceof HTMLElement && tool.dataset.tool === this.pad.tool));
    }
    for (const colour of this.root.querySelectorAll("[data-colour]")) {
      colour.setAttribute("aria-pressed", String(colour instanceof HTMLElement && colour.dataset.colour === this.pad.colour));
    }
  }
}

for (const root of document.querySelectorAll("[data-review]")) new Viewer(/** @type {HTMLElement} */ (root));
