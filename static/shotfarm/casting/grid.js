/* The grid: shots down, characters across. Draws cells, and knows which of them are chosen. */

import { does } from "./casts.js";

/** @param {string} tag @param {Record<string, string>} [names] @param {...(Node | string)} inside */
export const make = (tag, names = {}, ...inside) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(names)) if (value) node.setAttribute(name, value);
  node.append(...inside);
  return node;
};

export class Grid {
  /**
   * @param {HTMLElement} table @param {import("./casts.js").Casts} casts
   * @param {import("./casts.js").Person[]} people
   * @param {Record<string, string>} words
   */
  constructor(table, casts, people, words) {
    this.table = table;
    this.casts = casts;
    this.people = people;
    this.words = words;
    this.anchor = { row: 0, col: 0 };
    this.focus = { row: 0, col: 0 };
    this.shown = people.map((_one, index) => index);
    /** @type {HTMLElement[][]} */
    this.cells = [];
    /** @type {HTMLElement[]} */
    this.heads = [];
    /** @type {HTMLElement[]} */
    this.marked = [];
    this.onChoice = () => {};
    this._draw();
  }

  _draw() {
    const head = make("tr", {}, make("th", { scope: "col", class: "sf-cast-shot" }, this.words.shot));
    for (const one of this.people) {
      const face = one.face ? make("img", { src: one.face, alt: "", loading: "lazy" }) : make("span", { class: "sf-cast-faceless" });
      const said = make("span", { class: "sf-cast-name" }, one.name, make("small", {}, one.archived ? `${one.code} · ${this.words.archived}` : one.code));
      head.append(make("th", { scope: "col", title: `${one.code} ${one.name}` }, face, said));
    }
    const body = make("tbody");
    this.casts.rows.forEach((row, index) => body.append(this._row(row, index)));
    this.table.replaceChildren(make("thead", {}, head), body);
    this.heads = /** @type {HTMLElement[]} */ ([...head.children].slice(1));
    this.choose({ row: 0, col: 0 });
  }

  /** @param {import("./casts.js").Row} row @param {number} index */
  _row(row, index) {
    const link = make("a", { href: row.url, tabindex: "-1" }, row.code);
    const picture = row.picture
      ? make("img", { src: row.picture, alt: "", loading: "lazy" })
      : make("span", { class: "sf-cast-faceless sf-cast-wide" });
    const words = make("span", { class: "sf-cast-what" }, link, make("small", { title: row.what }, row.what));
    if (row.locked) words.append(make("span", { class: "sf-badge sf-amber" }, this.words.lockedBy.split(";")[0].replace("%(user)s", row.locked)));
    const line = make("tr", { "data-row": String(index), class: row.may ? "" : "sf-cast-shut" }, make("th", { scope: "row", class: "sf-cast-shot" }, picture, words));
    this.cells[index] = this.people.map((one, col) => {
      const cell = make("td", { role: "gridcell", tabindex: "-1", "data-col": String(col), "aria-disabled": row.may ? "" : "true" });
      line.append(cell);
      return cell;
    });
    this.paint(index);
    return line;
  }

  /** Draw a row's cells as they are now. @param {number} row */
  paint(row) {
    this.people.forEach((one, col) => {
      const cell = this.cells[row][col];
      const part = this.casts.part(row, one.code);
      cell.classList.toggle("sf-cast-on", Boolean(part));
      cell.replaceChildren();
      let said = "–";
      if (part) {
        const place = String(this.casts.place(row, one.code) + 1);
        const wears = part.costume_override || part.costume_override_ko || part.costume || one.default;
        const own = part.costume_override || part.costume_override_ko || part.costume;
        const doing = does(part);
        cell.append(make("b", {}, place), make("span", { class: own ? "" : "sf-dim" }, wears || this.words.noCostume));
        if (part.lora_weight !== null) cell.append(make("i", {}, `×${part.lora_weight}`));
        if (doing) cell.append(make("small", {}, doing));
        said = [place, wears, doing].filter(Boolean).join(", ");
        cell.title = said;
      } else {
        cell.removeAttribute("title");
      }
      cell.setAttribute("aria-label", `${this.casts.rows[row].code}, ${one.name}: ${said}`);
    });
    this.cells[row][0]?.closest("tr")?.classList.toggle("sf-cast-changed", this.casts.changed(row));
  }

  /** Show some of the characters only. @param {(index: number) => boolean} fits */
  show(fits) {
    this.shown = this.people.map((_one, index) => index).filter(fits);
    const seen = new Set(this.shown);
    this.heads.forEach((head, col) => { head.hidden = !seen.has(col); });
    for (const row of this.cells) row.forEach((cell, col) => { cell.hidden = !seen.has(col); });
    if (this.shown.length && !seen.has(this.focus.col)) this.choose({ row: this.focus.row, col: this.shown[0] });
  }

  /** @param {{row: number, col: number}} to @param {boolean} [extend]: from where the choice began */
  choose(to, extend = false) {
    this.cells[this.focus.row]?.[this.focus.col]?.setAttribute("tabindex", "-1");
    this.focus = to;
    if (!extend) this.anchor = to;
    this.cells[to.row]?.[to.col]?.setAttribute("tabindex", "0");
    for (const cell of this.marked) cell.removeAttribute("aria-selected");
    this.marked = this.chosen().map(({ row, col }) => this.cells[row][col]);
    for (const cell of this.marked) cell.setAttribute("aria-selected", "true");
    this.onChoice();
  }

  /** @param {number} row @param {boolean} extend */
  chooseRow(row, extend) {
    if (!this.shown.length) return;
    this.choose({ row: extend ? this.anchor.row : row, col: this.shown[0] });
    this.choose({ row, col: this.shown[this.shown.length - 1] }, true);
  }

  rowsChosen() {
    const [first, last] = [this.anchor.row, this.focus.row].sort((a, b) => a - b);
    return Array.from({ length: last - first + 1 }, (_none, index) => first + index);
  }

  /** @returns {{row: number, col: number, character: string}[]} the chosen cells */
  chosen() {
    const [left, right] = [this.anchor.col, this.focus.col].sort((a, b) => a - b);
    const cols = this.shown.filter((col) => left <= col && col <= right);
    return this.rowsChosen().flatMap((row) => cols.map((col) => ({ row, col, character: this.people[col].code })));
  }

  /** @param {number} down @param {number} right @param {boolean} extend */
  step(down, right, extend) {
    const row = Math.min(Math.max(this.focus.row + down, 0), this.cells.length - 1);
    const at = Math.min(Math.max(this.shown.indexOf(this.focus.col) + right, 0), this.shown.length - 1);
    this.choose({ row, col: this.shown[at] ?? 0 }, extend);
    this.enter();
  }

  enter() {
    this.cells[this.focus.row]?.[this.focus.col]?.focus();
  }

  /** @param {EventTarget | null} target @returns {{row: number, col: number} | null} */
  at(target) {
    /** @type {HTMLElement | null} */
    const cell = target instanceof Element ? target.closest("td[data-col]") : null;
    const line = cell?.closest("tr");
    return cell && line ? { row: Number(line.dataset.row), col: Number(cell.dataset.col) } : null;
  }
}
