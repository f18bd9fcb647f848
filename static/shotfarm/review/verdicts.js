/* Approve, retake, reject, select: asked once more, then said to the farm; the page follows. */

import { call, NotDone } from "./calls.js";

/** @typedef {import("./viewer.js").Item} Item */

/**
 * @typedef {object} Page  What the viewer offers.
 * @property {Item[]} items
 * @property {Item} item  the take that is looked at
 * @property {{urls: {review: string, select: string}}} config
 * @property {() => void} describe
 * @property {(words: string) => void} say
 * @property {{load: (take: string) => Promise<void>}} notes
 */

export class Verdicts {
  /** @param {HTMLElement} root @param {Page} page */
  constructor(root, page) {
    this.page = page;
    this.dialog = /** @type {HTMLDialogElement} */ (root.querySelector("dialog[data-verdict-dialog]"));
    this.form = /** @type {HTMLFormElement} */ (this.dialog.querySelector("form"));
    this.note = /** @type {HTMLTextAreaElement} */ (this.form.elements.namedItem("note"));
    this.gather = /** @type {HTMLInputElement} */ (this.form.elements.namedItem("gather"));
    this.to = "";
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#give();
    });
    this.note.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.form.requestSubmit();
    });
  }

  /** @param {string} to approved, retake or rejected */
  ask(to) {
    if (!this.page.item.may.review) return;
    this.to = to;
    this.dialog.dataset.to = to;
    const about = this.dialog.querySelector("[data-of]");
    if (about) about.textContent = `${this.page.item.code} ${this.page.item.what}`;
    const wrong = this.dialog.querySelector("[data-wrong]");
    if (wrong) wrong.textContent = "";
    this.note.value = "";
    this.gather.checked = to === "retake";
    this.dialog.showModal();
    if (to === "retake") this.note.focus();
    else /** @type {HTMLElement|null} */ (this.form.querySelector(`[data-for=${to}]`))?.focus();
  }

  async #give() {
    const { item } = this.page;
    const body = { to: this.to, note: this.note.value.trim(), gather: this.gather.checked };
    try {
      const told = await call("POST", this.page.config.urls.review.replace("TAKE", item.take), body);
      item.verdict = told.review_state;
      item.verdict_label = this.dialog.querySelector(`[data-word=${told.review_state}]`)?.textContent ?? told.review_state;
      this.#selectedNow(item, told.selected);
      this.dialog.close();
      this.page.describe();
    } catch (error) {
      if (!(error instanceof NotDone)) throw error;
      const wrong = this.dialog.querySelector("[data-wrong]");
      if (wrong) wrong.textContent = error.message;
    }
  }

  /** Select the take that is looked at; take the selection back where it is selected. */
  async select() {
    const { item } = this.page;
    if (!item.may.review) return;
    try {
      const told = await call("POST", this.page.config.urls.select.replace("TAKE", item.take), { selected: !item.selected });
      this.#selectedNow(item, told.selected);
      this.page.describe();
      this.page.say("");
    } catch (error) {
      if (!(error instanceof NotDone)) throw error;
      this.page.say(error.message);
    }
  }

  /** One take of a shot and stage is selected. @param {Item} item @param {boolean} selected */
  #selectedNow(item, selected) {
    if (selected) {
      for (const other of this.page.items) {
        if (other.code === item.code && other.stage === item.stage) other.selected = false;
      }
    }
    item.selected = selected;
  }
}
