/* Two panes and how they are looked at: beside each other, wiped, flickering, their difference; zoomed together. */

import { paint } from "./drawing.js";
import { Screen } from "./screen.js";

/** @typedef {import("./clip.js").Clip} Clip */
/** @typedef {import("./drawing.js").Stroke} Stroke */
/** @typedef {"one"|"side"|"wipe"|"flicker"|"difference"} Mode */

const FLICKER_MS = 400; // two and a half changes a second: below what harms anybody
const MOST_ZOOM = 16;
const KEPT = 4; // files that stay open

class Pane {
  /** @param {HTMLElement} element @param {number} fps */
  constructor(element, fps) {
    this.element = element;
    this.fps = fps;
    this.layer = /** @type {HTMLElement} */ (element.querySelector(".sf-layer"));
    this.svg = /** @type {SVGSVGElement} */ (/** @type {unknown} */ (element.querySelector("svg")));
    /** @type {Map<string, Screen>} by address, the newest last */
    this.screens = new Map();
    /** @type {Screen|null} */
    this.screen = null;
    /** @type {Stroke[]} */
    this.strokes = [];
  }

  /** Open a take's file, so that it is there when it is shown. @param {Clip} clip */
  prepare(clip) {
    let screen = this.screens.get(clip.url);
    this.screens.delete(clip.url);
    if (!screen) {
      screen = new Screen(clip, this.fps);
      screen.box.hidden = true;
      this.layer.insertBefore(screen.box, this.svg);
    }
    this.screens.set(clip.url, screen);
    for (const [url, old] of this.screens) {
      if (this.screens.size <= KEPT) break;
      if (old !== this.screen && old !== screen) {
        old.close();
        this.screens.delete(url);
      }
    }
    return screen;
  }

  /** @param {Clip|null} clip */
  show(clip) {
    const next = clip ? this.prepare(clip) : null;
    if (this.screen && this.screen !== next) {
      this.screen.pause();
      this.screen.box.hidden = true;
    }
    this.screen = next;
    if (next) next.box.hidden = false;
    this.element.classList.toggle("sf-nothing-here", !clip || !clip.kind);
    this.fit();
  }

  fit() {
    if (!this.screen) return;
    const { clientWidth, clientHeight } = this.element;
    this.screen.fit(clientWidth, clientHeight);
    for (const side of /** @type {const} */ (["left", "top", "width", "height"])) {
      this.svg.style[side] = this.screen.box.style[side];
    }
    paint(this.svg, this.strokes);
  }

  /** @param {Stroke[]} strokes */
  draw(strokes) {
    this.strokes = strokes;
    paint(this.svg, strokes);
  }
}

export class View {
  /**
   * @param {HTMLElement} stage
   * @param {number} fps
   */
  constructor(stage, fps) {
    this.stage = stage;
    const [a, b] = [...stage.querySelectorAll(".sf-pane")].map((pane) => new Pane(/** @type {HTMLElement} */ (pane), fps));
    this.a = a;
    this.b = b;
    this.handle = /** @type {HTMLElement} */ (stage.querySelector(".sf-wipe"));
    /** @type {Mode} */
    this.mode = "one";
    /** @type {"a"|"b"} which is on top where one is seen at a time */
    this.top = "a";
    this.wipe = 0.5;
    this.zoom = { scale: 1, x: 0, y: 0 };
    this.flicker = 0;
    this.#zoomByHand();
    this.#wipeByHand();
    new ResizeObserver(() => this.#lay()).observe(stage);
  }

  /** What runs: A, and B where there is one. */
  get screens() {
    return [this.a.screen, this.b.screen].filter((screen) => screen !== null);
  }

  /** @param {Clip|null} a @param {Clip|null} b */
  show(a, b) {
    this.a.show(a);
    this.b.show(b);
    if (!b && this.mode !== "one") this.setMode("one");
    this.#lay();
  }

  /** @param {Mode} mode */
  setMode(mode) {
    this.mode = this.b.screen ? mode : "one";
    this.stage.dataset.mode = this.mode;
    window.clearInterval(this.flicker);
    if (this.mode === "flicker") {
      this.flicker = window.setInterval(() => this.setTop(this.top === "a" ? "b" : "a"), FLICKER_MS);
    }
    if (this.mode !== "one") this.setTop(this.mode === "flicker" ? this.top : "a");
    this.#lay();
  }

  /** @param {"a"|"b"} which */
  setTop(which) {
    this.top = which === "b" && this.b.screen ? "b" : "a";
    this.stage.dataset.top = this.top;
  }

  /** @param {number} part of the width, from 0 to 1 */
  setWipe(part) {
    this.wipe = Math.max(0, Math.min(1, part));
    this.handle.setAttribute("aria-valuenow", String(Math.round(this.wipe * 100)));
    this.#lay();
  }

  /** @param {number} factor @param {number} x of the stage @param {number} y what stays where it is */
  zoomBy(factor, x = this.stage.clientWidth / 2, y = this.stage.clientHeight / 2) {
    const scale = Math.max(1, Math.min(MOST_ZOOM, this.zoom.scale * factor));
    const grown = scale / this.zoom.scale;
    this.zoom = { scale, x: x - (x - this.zoom.x) * grown, y: y - (y - this.zoom.y) * grown };
    this.#lay();
  }

  zoomOut() {
    this.zoom = { scale: 1, x: 0, y: 0 };
    this.#lay();
  }

  #lay() {
    const { clientWidth } = this.stage;
    if (this.zoom.scale === 1) this.zoom = { scale: 1, x: 0, y: 0 };
    for (const pane of [this.a, this.b]) {
      pane.layer.style.transform = `translate(${this.zoom.x}px, ${this.zoom.y}px) scale(${this.zoom.scale})`;
      pane.fit();
    }
    this.b.element.style.clipPath = this.mode === "wipe" ? `inset(0 0 0 ${this.wipe * 100}%)` : "";
    this.handle.style.left = `${this.wipe * clientWidth}px`;
    this.stage.classList.toggle("sf-zoomed", this.zoom.scale > 1);
  }

  #wipeByHand() {
    this.handle.addEventListener("pointerdown", (event) => {
      event.stopPropagation();
      this.handle.setPointerCapture(event.pointerId);
    });
    this.handle.addEventListener("pointermove", (event) => {
      if (!this.handle.hasPointerCapture(event.pointerId)) return;
      const box = this.stage.getBoundingClientRect();
      this.setWipe((event.clientX - box.left) / box.width);
    });
    this.handle.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: -0.02, ArrowRight: 0.02 }[event.key];
      if (!way) return;
      event.stopPropagation();
      event.preventDefault();
      this.setWipe(this.wipe + way);
    });
  }

  #zoomByHand() {
    this.stage.addEventListener("wheel", (event) => {
      event.preventDefault();
      const { x, y } = this.#within(event);
      this.zoomBy(Math.exp(-event.deltaY / 400), x, y);
    }, { passive: false });
    this.stage.addEventListener("pointerdown", (event) => {
      if (this.zoom.scale > 1 && event.button <= 1) this.stage.setPointerCapture(event.pointerId);
    });
    this.stage.addEventListener("pointermove", (event) => {
      if (!this.stage.hasPointerCapture(event.pointerId)) return;
      this.zoom.x += event.movementX;
      this.zoom.y += event.movementY;
      this.#lay();
    });
    this.stage.addEventListener("dblclick", () => this.zoomOut());
  }

  /** Where a pointer is in the pane below it. @param {MouseEvent} event */
  #within(event) {
    const panes = this.mode === "side" ? [this.a, this.b] : [this.a];
    const under = panes.find(({ element }) => event.clientX < element.getBoundingClientRect().right) ?? panes[panes.length - 1];
    const box = under.element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }
}
