/* The form for a new note: its words, the tools of its drawing, the frame it is about. */

/**
 * @typedef {object} Page  What the viewer offers.
 * @property {import("./viewer.js").Item} item  the take that is looked at
 * @property {import("./transport.js").Transport} transport
 * @property {import("./notes.js").Notes} notes
 * @property {import("./sketch.js").Sketch} sketch
 * @property {(words: string) => void} say
 */

export class Composer {
  /** @param {HTMLFormElement} form @param {Page} page */
  constructor(form, page) {
    this.form = form;
    this.page = page;
    this.text = /** @type {HTMLTextAreaElement} */ (form.elements.namedItem("text"));
    this.#words();
    this.#tools();
  }

  write() {
    this.text.focus();
  }

  draw() {
    this.page.sketch.start();
  }

  #words() {
    const { form, text } = this;
    const { transport } = this.page;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    text.addEventListener("focus", () => transport.playing && transport.go(transport.frame));
    text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
      if (event.key === "Escape") text.blur();
    });
  }

  #tools() {
    const { form } = this;
    const { sketch } = this.page;
    for (const tool of form.querySelectorAll("[data-tool]")) {
      tool.addEventListener("click", () => sketch.start(/** @type {HTMLElement} */ (tool).dataset.tool));
    }
    for (const colour of form.querySelectorAll("[data-colour]")) {
      colour.addEventListener("click", () => {
        sketch.pad.colour = /** @type {HTMLElement} */ (colour).dataset.colour ?? sketch.pad.colour;
        sketch.start(sketch.pad.tool === "eraser" ? "pen" : sketch.pad.tool);
      });
    }
    form.querySelector("[data-undo]")?.addEventListener("click", () => sketch.pad.undo());
    form.querySelector("[data-clear]")?.addEventListener("click", () => sketch.stop());
  }

  async #send() {
    const { form, page, text } = this;
    const strokes = page.sketch.pad.strokes;
    if (!text.value.trim() && !strokes.length) return;
    const atFrame = /** @type {HTMLInputElement} */ (form.elements.namedItem("at_frame")).checked || strokes.length > 0;
    const seen = form.elements.namedItem("visibility");
    const done = await page.notes.add({
      text: text.value.trim(),
      frame: atFrame ? page.item.first + page.transport.frame : null,
      drawing: strokes,
      ...(seen instanceof HTMLSelectElement ? { visibility: seen.value } : {}),
    });
    if (!done) return;
    text.value = "";
    page.sketch.stop();
    page.say("");
  }
}
