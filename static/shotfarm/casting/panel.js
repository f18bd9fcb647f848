/* What is said of whoever is chosen: one cell, or many at once. */

/** @typedef {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} Field */

export class Panel {
  /**
   * @param {HTMLFormElement} form @param {HTMLElement} title @param {import("./grid.js").Grid} grid
   * @param {Record<string, string>} words @param {(name: string, value: string | number | null) => void} say
   */
  constructor(form, title, grid, words, say) {
    this.form = form;
    this.title = title;
    this.grid = grid;
    this.words = words;
    this.blank = title.textContent;
    form.addEventListener("change", (event) => {
      const field = /** @type {Field} */ (event.target);
      if (!field.checkValidity()) {
        field.reportValidity();
        return;
      }
      const number = field.type === "number";
      if (field.name === "order" && !field.value) return;
      say(field.name, number ? (field.value === "" ? null : Number(field.value)) : field.value);
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.isComposing) grid.enter(); /* it ends a Korean syllable first */
    });
  }

  /** The chosen cells in which somebody is cast. */
  cast() {
    return this.grid.chosen().filter(({ row, character }) => this.grid.casts.part(row, character));
  }

  show() {
    const cells = this.cast();
    const people = [...new Set(cells.map((cell) => cell.col))].map((col) => this.grid.people[col]);
    this.form.hidden = !cells.length;
    const rows = new Set(cells.map((cell) => cell.row));
    const where = rows.size === 1 ? this.grid.casts.rows[[...rows][0]].code : `${rows.size} × ${this.words.shot}`;
    this.title.textContent = cells.length ? `${people.map((one) => one.name).join(", ")} · ${where}` : this.blank;
    if (!cells.length) return;
    this._offer(people);
    const shut = cells.every(({ row }) => !this.grid.casts.rows[row].may);
    for (const field of /** @type {Iterable<Field>} */ (this.form.elements)) {
      const said = new Set(cells.map(({ row, character }) => this._said(field.name, row, character)));
      const several = said.size > 1;
      if (field.name === "costume" && several) field.prepend(new Option(this.words.several, "\n", true, true));
      else field.value = several ? "" : String([...said][0]);
      if ("placeholder" in field) field.placeholder = several ? this.words.several : "";
      field.disabled = shut || (field.name === "costume" && people.length > 1);
      field.title = field.name === "costume" && people.length > 1 ? this.words.mixed : "";
    }
  }

  /** What a field says of one who is cast. @param {string} name @param {number} row @param {string} character */
  _said(name, row, character) {
    if (name === "order") return this.grid.casts.place(row, character) + 1;
    const part = this.grid.casts.part(row, character);
    return part?.[/** @type {keyof import("./casts.js").Part} */ (name)] ?? "";
  }

  /** @param {import("./casts.js").Person[]} people */
  _offer(people) {
    const select = /** @type {HTMLSelectElement} */ (this.form.elements.namedItem("costume"));
    const one = people[0];
    const none = one.default ? `${this.words.default}: ${one.default}` : this.words.default;
    select.replaceChildren(new Option(none, ""), ...(people.length > 1 ? [] : one.costumes.map((name) => new Option(name, name))));
  }

  enter() {
    /** @type {HTMLElement | null} */
    const first = this.form.querySelector("select:enabled, textarea:enabled");
    first?.focus();
  }
}
