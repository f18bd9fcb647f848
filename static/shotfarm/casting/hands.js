/* Mouse and keys on the grid. */

/**
 * @param {import("./grid.js").Grid} grid
 * @param {Record<string, () => void>} deeds by name
 * @param {(like: import("./casts.js").Part | undefined) => void} fill what is chosen with what the first cell says
 */
export const lay = (grid, deeds, fill) => {
  /** @type {{choosing: boolean, moved: boolean, cast: boolean} | null} */
  let drag = null;

  const first = () => grid.casts.part(grid.anchor.row, grid.people[grid.anchor.col].code);

  grid.table.addEventListener("mousedown", (event) => {
    if (event.button !== 0) return;
    const writing = document.activeElement;
    if (writing instanceof HTMLElement && !grid.table.contains(writing)) writing.blur(); /* what is being written is said of whom it was written */
    const target = /** @type {Element} */ (event.target);
    const row = target.closest("th[scope=row]")?.closest("tr");
    if (row && !target.closest("a")) {
      event.preventDefault();
      grid.chooseRow(Number(row.dataset.row), event.shiftKey);
      grid.enter();
      return;
    }
    const at = grid.at(event.target);
    if (!at) return;
    event.preventDefault();
    grid.choose(at, event.shiftKey);
    grid.enter();
    if (event.shiftKey) {
      if (first() && !event.ctrlKey && !event.metaKey) fill(first());
    } else {
      drag = { choosing: event.ctrlKey || event.metaKey, moved: false, cast: Boolean(first()) };
    }
  });
  grid.table.addEventListener("mouseover", (event) => {
    const at = drag && grid.at(event.target);
    if (!drag || !at || (at.row === grid.focus.row && at.col === grid.focus.col)) return;
    drag.moved = true;
    grid.choose(at, true);
  });
  document.addEventListener("mouseup", () => {
    const was = drag;
    drag = null;
    if (!was || was.choosing) return;
    if (was.moved) fill(first());
    else if (!was.cast) deeds.cast();
  });

  /** @type {Record<string, [down: number, right: number]>} */
  const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], PageUp: [-10, 0], PageDown: [10, 0], Home: [0, -999], End: [0, 999] };
  /** @type {Partial<Record<string, string>>} */
  const keys = { " ": "toggle", Delete: "remove", Backspace: "remove", Enter: "write" };
  /** @type {Partial<Record<string, string>>} */
  const held = { c: "copy", v: "paste", d: "down", z: "back", s: "save" };
  grid.table.addEventListener("keydown", (event) => {
    if (!grid.at(event.target) || event.altKey) return;
    const control = event.ctrlKey || event.metaKey;
    /* a Korean keyboard may say "ㅊ" where C is held with Ctrl */
    const deed = control ? held[event.key.toLowerCase()] ?? held[event.code.slice(-1).toLowerCase()] : keys[event.key];
    if (deed) {
      event.preventDefault();
      deeds[deed]();
    } else if (moves[event.key]) {
      event.preventDefault();
      grid.step(...moves[event.key], event.shiftKey);
    }
  });
};
