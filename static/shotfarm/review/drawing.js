/* Drawing on a picture: strokes in parts of its width and height, so that they fit any size it is shown at. */

/**
 * @typedef {object} Stroke  As apps/review/drawings.py checks it.
 * @property {"pen"|"arrow"} tool
 * @property {string} colour  such as #ff3b30
 * @property {number} width   in parts of the picture's width
 * @property {[number, number][]} points  0..1 from the left and from the top
 */

const SVG = "http://www.w3.org/2000/svg";
export const MOST_STROKES = 200;
export const MOST_POINTS = 500;

/** @param {number} value */
const part = (value) => Math.round(Math.max(0, Math.min(1, value)) * 10000) / 10000;

/** Draw strokes into an SVG. @param {SVGSVGElement} svg @param {Stroke[]} strokes */
export function paint(svg, strokes) {
  const { width, height } = svg.getBoundingClientRect();
  const across = width || 1600;
  const down = height || 900;
  svg.setAttribute("viewBox", `0 0 ${across} ${down}`);
  svg.replaceChildren(...strokes.map((stroke, index) => pathOf(stroke, index, across, down)));
}

/** @param {Stroke} stroke @param {number} index @param {number} across @param {number} down */
function pathOf(stroke, index, across, down) {
  const places = stroke.points.map(([x, y]) => [x * across, y * down]);
  const path = document.createElementNS(SVG, "path");
  const pen = Math.max(1.5, stroke.width * across);
  let lines = places.map(([x, y], at) => `${at ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
  if (places.length === 1) lines += `l0.01 0`;
  if (stroke.tool === "arrow" && places.length > 1) lines += headOf(places, pen);
  path.setAttribute("d", lines);
  path.setAttribute("stroke", stroke.colour);
  path.setAttribute("stroke-width", String(pen));
  path.dataset.stroke = String(index);
  return path;
}

/** @param {number[][]} places @param {number} pen */
function headOf(places, pen) {
  const [x, y] = places[places.length - 1];
  const [fromX, fromY] = places[0];
  const way = Math.atan2(y - fromY, x - fromX);
  return [-1, 1].map((side) => {
    const turned = way + Math.PI + side * 0.45;
    const long = pen * 5;
    return `M${x.toFixed(1)} ${y.toFixed(1)}L${(x + Math.cos(turned) * long).toFixed(1)} ${(y + Math.sin(turned) * long).toFixed(1)}`;
  }).join("");
}

export class Pad {
  /**
   * @param {SVGSVGElement} svg
   * @param {() => void} changed
   */
  constructor(svg, changed) {
    this.svg = svg;
    this.changed = changed;
    /** @type {Stroke[]} */
    this.strokes = [];
    /** @type {Stroke[][]} what undo leads back to */
    this.before = [];
    /** @type {"pen"|"arrow"|"eraser"} */
    this.tool = "pen";
    this.colour = "#ff3b30";
    this.width = 0.004;
    this.on = false;
    /** @type {Stroke|null} */
    this.going = null;
    svg.addEventListener("pointerdown", (event) => this.#down(event));
    svg.addEventListener("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel"]) svg.addEventListener(name, () => this.#up());
  }

  /** @param {boolean} on */
  open(on) {
    this.on = on;
    this.svg.classList.toggle("sf-drawing", on);
  }

  clear() {
    this.strokes = [];
    this.before = [];
    this.show();
  }

  undo() {
    const last = this.before.pop();
    if (last) {
      this.strokes = last;
      this.show();
    }
  }

  show() {
    paint(this.svg, this.going ? [...this.strokes, this.going] : this.strokes);
    this.changed();
  }

  /** @param {PointerEvent} event @returns {[number, number]} */
  #place(event) {
    const box = this.svg.getBoundingClientRect();
    return [part((event.clientX - box.left) / box.width), part((event.clientY - box.top) / box.height)];
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (!this.on || event.button !== 0) return;
    event.preventDefault();
    event.stopPropagation();
    this.svg.setPointerCapture(event.pointerId);
    if (this.tool === "eraser") {
      this.#erase(event);
      return;
    }
    if (this.strokes.length >= MOST_STROKES) return;
    this.going = { tool: this.tool, colour: this.colour, width: this.width, points: [this.#place(event)] };
    this.show();
  }

  /** @param {PointerEvent} event */
  #move(event) {
    if (!this.on) return;
    if (this.tool === "eraser" && event.buttons & 1) this.#erase(event);
    if (!this.going) return;
    const here = this.#place(event);
    const last = this.going.points[this.going.points.length - 1];
    if (this.going.tool === "arrow") this.going.points = [this.going.points[0], here];
    else if (Math.hypot(here[0] - last[0], here[1] - last[1]) > 0.002 && this.going.points.length < MOST_POINTS) {
      this.going.points.push(here);
    }
    this.show();
  }

  #up() {
    if (!this.going) return;
    this.before.push(this.strokes);
    this.strokes = [...this.strokes, this.going];
    this.going = null;
    this.show();
  }

  /** @param {PointerEvent} event */
  #erase(event) {
    const [x, y] = this.#place(event);
    const near = (/** @type {Stroke} */ stroke) => distance(stroke, x, y) < Math.max(0.012, stroke.width * 2);
    if (this.strokes.some(near)) {
      this.before.push(this.strokes);
      this.strokes = this.strokes.filter((stroke) => !near(stroke));
      this.show();
    }
  }
}

/** How far a place is from a stroke. @param {Stroke} stroke @param {number} x @param {number} y */
function distance(stroke, x, y) {
  const { points } = stroke;
  return Math.min(...points.map(([ax, ay], index) => {
    const [bx, by] = points[index + 1] ?? [ax, ay];
    const long = (bx - ax) ** 2 + (by - ay) ** 2;
    const along = long ? Math.max(0, Math.min(1, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / long)) : 0;
    return Math.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay));
  }));
}
