/* An open cell of chips: letters find more of them, × and Backspace take them away. What may be picked, and which
   rules the chips break, the farm says after every letter and every pick. */

import { all, ask, bad, composing, datum, fragment, need, said, targetOf } from "./talk.js";

const PAUSE_MS = 120; /* between letters, the farm is not asked */

export class Chips {
  /** @param {HTMLElement} holder @param {string} cell */
  constructor(holder, cell) {
    this.holder = holder;
    this.cell = cell;
    this.place = need(holder, "[data-chips]");
    /** @type {HTMLInputElement} */
    this.box = need(holder, "[data-find]");
    this.offer = need(holder, "[data-offer]");
    this.was = this.keys().join("\n");
    this.marked = -1;
    /** @type {AbortController | null} */
    this.asking = null;
    /** @type {Promise<void>} the newest question */
    this.answered = Promise.resolve();
    this.box.addEventListener("input", () => this.ask(PAUSE_MS));
    holder.addEventListener("keydown", (event) => this.key(event));
    holder.addEventListener("pointerdown", (event) => {
      if (targetOf(event).closest("[role=option]")) event.preventDefault(); /* the box keeps the focus */
    });
    holder.addEventListener("click", (event) => {
      const option = targetOf(event).closest("[role=option]");
      const chip = targetOf(event).closest("button")?.closest("[data-chip]");
      if (option && event.detail < 2) this.pick(option); /* of a double click the first one counts */
      else if (chip) this.drop(chip);
    });
    this.mark(-1);
  }

  chips() { return all(this.place, "[data-chip]"); }

  options() { return all(this.offer, "[role=option]"); }

  /** @param {ParentNode} chip */
  keyOf(chip) { return /** @type {HTMLInputElement} */ (need(chip, "input")).value; }

  keys() { return this.chips().map((chip) => this.keyOf(chip)); }

  changed() { return this.keys().join("\n") !== this.was; }

  warnings() { return all(this.offer, ".sf-rule-hard, .sf-rule-warning").map((told) => datum(told, "rule")); }

  /** Waits for the farm's word on what is picked. @returns {Promise<boolean>} whether it warns of a rule that nobody
   * can have read of yet */
  async warned() {
    const before = new Set(this.warnings());
    await this.answered;
    return this.warnings().some((rule) => !before.has(rule));
  }

  /** Marks the option that Enter picks; -1 for none. @param {number} at */
  mark(at) {
    const options = this.options();
    this.marked = options.length ? Math.min(at, options.length - 1) : -1;
    const list = need(this.offer, "[role=listbox]");
    list.id = this.box.getAttribute("aria-controls") ?? "";
    options.forEach((option, index) => {
      option.id = `${list.id}-${index}`;
      option.setAttribute("aria-selected", String(index === this.marked));
    });
    const marked = options[this.marked];
    if (marked) this.box.setAttribute("aria-activedescendant", marked.id);
    else this.box.removeAttribute("aria-activedescendant");
    if (marked) list.scrollTop = marked.offsetTop - (list.clientHeight - marked.offsetHeight) / 2;
  }

  /** Asks what may be picked. Where no letter is typed nothing is marked, from now on: an Enter that is quicker than
   * the farm's answer saves. @param {number} [pause] ms */
  ask(pause = 0) {
    if (!this.box.value.trim()) this.mark(-1);
    this.asking?.abort();
    this.asking = new AbortController();
    this.answered = this._ask(this.asking.signal, pause);
  }

  /** @param {AbortSignal} signal @param {number} pause */
  async _ask(signal, pause) {
    if (pause) await new Promise((done) => { setTimeout(done, pause); });
    if (signal.aborted) return;
    const asked = new URLSearchParams({ cell: this.cell, typed: this.box.value.trim() });
    for (const key of this.keys()) asked.append("picked", key);
    const answer = await ask(`${datum(this.holder, "picks")}?${asked}`, { signal }, (words) => said(bad(words)));
    const html = answer?.ok ? await answer.text().catch(() => "") : "";
    if (signal.aborted) return;
    if (!html) {
      this.mark(-1); /* what is offered is of other letters */
      return;
    }
    const offer = need(fragment(html), "[data-offer]");
    this.offer.replaceWith(offer);
    this.offer = offer;
    this.mark(this.box.value.trim() ? 0 : -1);
  }

  /** @param {Element} option */
  pick(option) {
    const pattern = need(/** @type {HTMLTemplateElement} */ (need(option, "template")).content, "[data-chip]");
    const chip = /** @type {HTMLElement} */ (pattern.cloneNode(true));
    if (this.keys().includes(this.keyOf(chip))) return; /* clicked again before the farm has answered */
    const { only } = chip.dataset;
    if (only) this.chips().filter((other) => other.dataset.only === only).forEach((other) => other.remove());
    this.place.append(chip);
    this.box.value = "";
    this.box.focus();
    this.ask();
  }

  /** @param {Element} chip @param {HTMLElement} [next]: what has the focus then */
  drop(chip, next = this.box) {
    next.focus();
    chip.remove();
    this.ask();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (composing(event) || event.altKey || event.ctrlKey || event.metaKey) return;
    const chip = targetOf(event).closest("[data-chip]");
    const done = chip ? this._onChip(event.key, chip) : event.target === this.box && this._inBox(event);
    if (!done) return;
    event.preventDefault();
    event.stopPropagation(); /* else the cell would be saved, or closed */
  }

  /** @param {string} key @param {Element} chip @returns {boolean} whether the key meant anything */
  _onChip(key, chip) {
    const chips = this.chips();
    const at = chips.findIndex((other) => other === chip);
    /** @param {HTMLElement | undefined} other */
    const press = (other) => (other ? need(other, "button") : this.box);
    if (key === "ArrowLeft") press(chips[Math.max(at - 1, 0)]).focus();
    else if (key === "ArrowRight") press(chips[at + 1]).focus();
    else if (key === "Delete" || key === "Backspace") this.drop(chip, press(chips[at + 1] ?? chips[at - 1]));
    else return false;
    return true;
  }

  /** @param {KeyboardEvent} event @returns {boolean} whether the key meant anything */
  _inBox(event) {
    const typed = this.box.value !== "";
    const last = this.chips().at(-1);
    if (event.key === "ArrowDown") this.mark(this.marked + 1);
    else if (event.key === "ArrowUp") this.mark(Math.max(this.marked - 1, -1));
    else if (event.key === "Enter" && !event.shiftKey && (typed || this.marked >= 0)) this._pickMarked();
    else if (event.key === "Escape" && typed) {
      this.box.value = "";
      this.ask();
    } else if (event.key === "Backspace" && !typed && last) this.drop(last);
    else if (event.key === "ArrowLeft" && !typed && last) need(last, "button").focus();
    else return false;
    return true;
  }

  /** Picks what is marked, once the farm has answered the last letter. */
  async _pickMarked() {
    const typed = this.box.value;
    await this.answered;
    const option = this.options()[this.marked];
    if (option && this.box.value === typed) this.pick(option);
  }
}
