/* What people said about a take: the list beside the picture, the marks on the time line, and what is written new. */

import { call, NotDone } from "./calls.js";

/** @typedef {import("./drawing.js").Stroke} Stroke */

/**
 * @typedef {object} Note  As the API tells it.
 * @property {string} id
 * @property {number|null} frame  of the project's numbering
 * @property {string} text
 * @property {Stroke[]} drawing
 * @property {string} author
 * @property {boolean} mine
 * @property {"internal"|"client"} visibility
 * @property {string|null} resolved_at
 * @property {string} resolved_by
 * @property {string|null} reply_to
 * @property {string} created_at
 * @property {number} row_version
 */

export class Notes {
  /**
   * @param {HTMLElement} panel
   * @param {object} told
   * @param {(take: string) => string} told.listUrl
   * @param {string} told.addUrl
   * @param {(id: string) => string} told.noteUrl  of one: changed, deleted, and + "/resolve"
   * @param {(id: string) => string} told.stillUrl  its picture with its drawing; "" for guests
   * @param {boolean} told.mayComment
   * @param {boolean} told.mayResolve
   * @param {string} told.playlist  its id, or ""
   * @param {(note: Note) => void} told.chosen
   * @param {() => void} told.changed  marks are to be drawn again
   * @param {(words: string) => void} told.say
   */
  constructor(panel, told) {
    this.panel = panel;
    this.told = told;
    this.list = /** @type {HTMLElement} */ (panel.querySelector("[data-notes]"));
    this.pattern = /** @type {HTMLTemplateElement} */ (panel.querySelector("template[data-note]"));
    this.count = panel.querySelector("[data-count]");
    /** @type {Map<string, Note[]>} by take */
    this.kept = new Map();
    this.take = "";
    this.openOnly = panel.querySelector("input[name=open_only]");
    this.openOnly?.addEventListener("change", () => this.draw());
  }

  /** @returns {Note[]} of the take that is shown */
  get now() {
    return this.kept.get(this.take) ?? [];
  }

  /** @param {string} take */
  async show(take) {
    this.take = take;
    this.draw();
    if (!take || this.kept.has(take)) return;
    await this.load(take);
  }

  /** @param {string} take */
  async load(take) {
    try {
      const answer = await call("GET", this.told.listUrl(take));
      this.kept.set(take, answer.results);
    } catch (error) {
      if (!(error instanceof NotDone)) throw error;
      this.told.say(error.message);
    }
    if (take === this.take) this.draw();
  }

  /**
   * @param {object} said
   * @param {string} said.text
   * @param {number|null} said.frame
   * @param {Stroke[]} said.drawing
   * @param {string} [said.visibility]
   * @param {string} [said.reply_to]
   */
  async add(said) {
    const body = { take: this.take, ...said, ...(this.told.playlist ? { playlist: this.told.playlist } : {}) };
    return this.#do(() => call("POST", this.told.addUrl, body));
  }

  /** @param {() => Promise<any>} deed */
  async #do(deed) {
    const { take } = this;
    try {
      await deed();
    } catch (error) {
      if (!(error instanceof NotDone)) throw error;
      this.told.say(error.message);
      return false;
    }
    await this.load(take);
    return true;
  }

  draw() {
    const openOnly = this.openOnly instanceof HTMLInputElement && this.openOnly.checked;
    const roots = this.now.filter((note) => !note.reply_to && !(openOnly && note.resolved_at));
    this.list.replaceChildren(...roots.map((note) => this.#row(note)));
    if (this.count) this.count.textContent = String(this.now.filter((note) => !note.reply_to && !note.resolved_at).length);
    this.panel.classList.toggle("sf-no-notes", roots.length === 0);
    this.told.changed();
  }

  /** @param {Note} note @returns {HTMLElement} */
  #row(note) {
    const row = /** @type {HTMLElement} */ (this.pattern.content.firstElementChild?.cloneNode(true));
    const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (row.querySelector(`[data-${name}]`));
    row.dataset.id = note.id;
    row.classList.toggle("sf-resolved", Boolean(note.resolved_at));
    part("text").textContent = note.text;
    part("author").textContent = note.author;
    part("when").textContent = new Date(note.created_at).toLocaleString(document.documentElement.lang, { dateStyle: "short", timeStyle: "short" });
    part("client").hidden = note.visibility !== "client";
    part("drawn").hidden = note.drawing.length === 0;
    const still = this.told.stillUrl(note.id);
    if (still) part("drawn").setAttribute("href", still);
    part("frame").hidden = note.frame === null;
    part("frame").textContent = note.frame === null ? "" : String(note.frame);
    part("who-resolved").textContent = note.resolved_by;
    row.addEventListener("click", (event) => {
      if (!(event.target instanceof Element && event.target.closest("button[data-do], form, a"))) this.told.chosen(note);
    });
    this.#buttons(row, note);
    for (const reply of this.now.filter((one) => one.reply_to === note.id)) {
      part("replies").append(this.#row(reply));
    }
    return row;
  }

  /** @param {HTMLElement} row @param {Note} note */
  #buttons(row, note) {
    const url = this.told.noteUrl(note.id);
    const root = !note.reply_to;
    const able = {
      resolve: root && this.told.mayResolve && !note.resolved_at,
      reopen: root && this.told.mayResolve && Boolean(note.resolved_at),
      reply: root && this.told.mayComment,
      edit: note.mine,
      remove: note.mine,
    };
    const deeds = {
      resolve: () => this.#do(() => call("POST", `${url}/resolve`, { resolved: true })),
      reopen: () => this.#do(() => call("POST", `${url}/resolve`, { resolved: false })),
      reply: () => this.#write(row, "", (text) => this.add({ text, frame: note.frame, drawing: [], visibility: note.visibility, reply_to: note.id })),
      edit: () => this.#write(row, note.text, (text) => this.#do(() => call("PATCH", url, { text, row_version: note.row_version }))),
      remove: () => this.#do(() => call("DELETE", url, { row_version: note.row_version })),
    };
    for (const [name, may] of Object.entries(able)) {
      const button = /** @type {HTMLButtonElement} */ (row.querySelector(`[data-do=${name}]`));
      if (!may) button.remove();
      else button.addEventListener("click", () => deeds[/** @type {keyof typeof deeds} */ (name)]());
    }
  }

  /** Open a little form in a note. @param {HTMLElement} row @param {string} text @param {(text: string) => Promise<boolean>} send */
  #write(row, text, send) {
    const form = /** @type {HTMLFormElement} */ (row.querySelector("form"));
    const field = /** @type {HTMLTextAreaElement} */ (form.querySelector("textarea"));
    form.hidden = false;
    field.value = text;
    field.focus();
    form.onsubmit = (event) => {
      event.preventDefault();
      if (field.value.trim()) send(field.value.trim());
    };
    field.onkeydown = (event) => {
      if (event.key === "Escape") form.hidden = true;
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    };
  }
}
