/* Where we are: the time line with its marks, and the numbers of frames. */

import { timeText } from "./clip.js";

/** @typedef {import("./notes.js").Note} Note */

export class TimeLine {
  /**
   * @param {HTMLElement} root
   * @param {object} told
   * @param {number} told.fps
   * @param {import("./transport.js").Transport} told.transport
   * @param {() => number} told.first  the number of the take's first frame
   * @param {(note: Note) => void} told.chosen  its mark was pressed
   */
  constructor(root, { fps, transport, first, chosen }) {
    const need = (/** @type {string} */ name) => /** @type {HTMLElement} */ (root.querySelector(name));
    this.root = root;
    this.bar = need("[data-bar]");
    this.head = need("[data-head]");
    this.marks = need("[data-marks]");
    this.fps = fps;
    this.transport = transport;
    this.first = first;
    this.chosen = chosen;
    this.#scrub();
  }

  /** Say where we are. */
  tell() {
    const { frame, frames, playing, rate } = this.transport;
    const first = this.first();
    const put = (/** @type {string} */ name, /** @type {string} */ text) => {
      for (const place of this.root.querySelectorAll(`[data-put=${name}]`)) if (place.textContent !== text) place.textContent = text;
    };
    put("frame", String(first + frame));
    put("last", String(first + frames - 1));
    put("time", timeText(frame, this.fps));
    put("pace", playing && rate !== 1 ? `${rate}×` : "");
    this.head.style.left = this.#place(frame);
    this.bar.setAttribute("aria-valuemin", String(first));
    this.bar.setAttribute("aria-valuemax", String(first + frames - 1));
    this.bar.setAttribute("aria-valuenow", String(first + frame));
    this.root.classList.toggle("sf-playing", playing);
  }

  /** Mark what is noted at frames. @param {Note[]} notes of the take that is shown */
  mark(notes) {
    const noted = notes.filter((note) => note.frame !== null && !note.reply_to);
    this.marks.replaceChildren(...noted.map((note) => {
      const mark = document.createElement("button");
      mark.type = "button";
      mark.title = `${note.frame} · ${note.author}: ${note.text}`;
      mark.className = note.resolved_at ? "sf-mark sf-resolved" : "sf-mark";
      mark.style.left = this.#place(/** @type {number} */ (note.frame) - this.first());
      mark.addEventListener("click", (event) => { event.stopPropagation(); this.chosen(note); });
      return mark;
    }));
  }

  /** How far along the line a frame stands, as CSS says it. @param {number} frame from 0 */
  #place(frame) {
    const { frames } = this.transport;
    return `${(frames > 1 ? Math.max(0, Math.min(1, frame / (frames - 1))) : 0) * 100}%`;
  }

  /** Go where the pointer is, and follow it while it is held. */
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
}
