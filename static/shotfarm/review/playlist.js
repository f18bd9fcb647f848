/* A playlist's order: by drag, or by Alt with the arrow keys; taken out by Delete. Told to the farm at once. */

import { call, NotDone } from "./calls.js";

class Order {
  /** @param {HTMLElement} list */
  constructor(list) {
    this.list = list;
    this.said = /** @type {HTMLElement|null} */ (list.parentElement?.querySelector("[data-order-said]") ?? null);
    /** @type {HTMLElement|null} */
    this.dragged = null;
    /** @type {Promise<unknown>} What was told last: a change is told when the one before it has its version. */
    this.turn = Promise.resolve();
    list.addEventListener("dragstart", (event) => {
      this.dragged = this.#row(event.target);
      this.dragged?.classList.add("sf-dragged");
      if (event.dataTransfer) event.dataTransfer.effectAllowed = "move";
    });
    list.addEventListener("dragover", (event) => this.#over(event));
    list.addEventListener("dragend", () => {
      this.dragged?.classList.remove("sf-dragged");
      if (this.dragged) this.save();
      this.dragged = null;
    });
    list.addEventListener("keydown", (event) => this.#key(event));
    list.addEventListener("click", (event) => {
      const out = event.target instanceof Element && event.target.closest("[data-out]");
      const row = out && this.#row(out);
      if (row) this.remove(row);
    });
  }

  /** @param {EventTarget|null} target @returns {HTMLElement|null} */
  #row(target) {
    return target instanceof Element ? target.closest("li") : null;
  }

  /** @param {DragEvent} event */
  #over(event) {
    const over = this.#row(event.target);
    if (!this.dragged) return;
    event.preventDefault();
    if (!over || over === this.dragged) return;
    const box = over.getBoundingClientRect();
    this.list.insertBefore(this.dragged, event.clientY > box.top + box.height / 2 ? over.nextSibling : over);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const row = this.#row(event.target);
    if (!row || event.target !== row) return;
    const way = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (way && event.altKey) {
      event.preventDefault();
      const beside = way < 0 ? row.previousElementSibling : row.nextElementSibling;
      if (!beside) return;
      this.list.insertBefore(row, way < 0 ? beside : beside.nextSibling);
      row.focus();
      this.save();
    } else if (way) {
      event.preventDefault();
      const beside = way < 0 ? row.previousElementSibling : row.nextElementSibling;
      if (beside instanceof HTMLElement) beside.focus();
    } else if (event.key === "Delete") {
      event.preventDefault();
      this.remove(row);
    }
  }

  get takes() {
    return [...this.list.children].map((row) => /** @type {HTMLElement} */ (row).dataset.take);
  }

  async save() {
    await this.#tell(this.list.dataset.url ?? "", () => ({ takes: this.takes, row_version: Number(this.list.dataset.version) }));
  }

  /** @param {HTMLElement} row */
  async remove(row) {
    if (!(await this.#tell(this.list.dataset.remove ?? "", () => ({ takes: [row.dataset.take] })))) return;
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    if (next instanceof HTMLElement) next.focus();
  }

  /** @param {string} url @param {() => object} body @returns {Promise<boolean>} */
  #tell(url, body) {
    const told = this.turn.then(() => this.#send(url, body()));
    this.turn = told.catch(() => false);
    return told;
  }

  /** @param {string} url @param {object} body */
  async #send(url, body) {
    this.#say("");
    try {
      const told = await call("POST", url, body);
      const mine = told.row_version === Number(this.list.dataset.version) + 1; // else others changed what stands here
      if (mine) this.list.dataset.version = told.row_version;
      for (const field of mine ? document.querySelectorAll("input[name=row_version]") : []) {
        if (field instanceof HTMLInputElement) field.value = told.row_version;
      }
    } catch (error) {
      if (!(error instanceof NotDone)) throw error;
      this.#say(error.message);
      return false;
    }
    this.list.dataset.saved = String(Number(this.list.dataset.saved ?? 0) + 1);
    return true;
  }

  /** @param {string} words */
  #say(words) {
    if (!this.said) return;
    this.said.textContent = words;
    this.said.hidden = !words;
  }
}

for (const list of document.querySelectorAll("[data-order]")) new Order(/** @type {HTMLElement} */ (list));

for (const all of document.querySelectorAll("input[data-all]")) {
  all.addEventListener("change", () => {
    for (const box of document.querySelectorAll("[data-order] input[name=take]")) {
      if (box instanceof HTMLInputElement && all instanceof HTMLInputElement) box.checked = all.checked;
    }
  });
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const field = button.parentElement?.querySelector("input");
    if (!field) return;
    field.select();
    await navigator.clipboard?.writeText(field.value);
  });
}
