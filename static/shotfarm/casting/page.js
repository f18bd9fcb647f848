/* The casting page: what its buttons do, saving, and what to do where somebody else saved first. */

import { call, NotDone } from "../review/calls.js";
import { Casts, does } from "./casts.js";
import { Grid, make } from "./grid.js";
import { lay } from "./hands.js";
import { Panel } from "./panel.js";

/**
 * @typedef {import("./casts.js").Part} Part
 * @typedef {{id: string, row_version: number, casting: Part[]}} Now: a shot as the farm says it is
 * @typedef {{field: string, message: string, code: string}} Problem
 * @typedef {{project: string, characters: import("./casts.js").Person[], shots: import("./casts.js").Row[], save: string,
 *            undo: string}} Told
 */

const page = /** @type {HTMLElement} */ (document.querySelector("[data-casting]"));
/** @type {Told} */
const told = JSON.parse(page.dataset.told ?? "");
/** @type {Record<string, string>} */
const words = JSON.parse(page.dataset.words ?? "");
/** @param {string} name @returns {any} */
const find = (name) => page.querySelector(`[data-${name}]`);
/** @param {string} text @param {Record<string, string | number>} facts */
const fill = (text, facts) => text.replace(/%\((\w+)\)s/g, (_all, name) => String(facts[name]));

const turn = find("turn");
turn?.addEventListener("change", () => {
  if (turn.value.startsWith("?")) location.search = turn.value;
});
/** What is being written is said, and counts. */
const endWriting = () => {
  if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
};

/** @param {unknown} failure */
const messageOf = (failure) => (failure instanceof Error ? failure.message : String(failure));

const begin = () => {
  const casts = new Casts(told.shots);
  const grid = new Grid(find("grid"), casts, told.characters, words);
  /** @param {string} name */
  const button = (name) => /** @type {HTMLButtonElement} */ (page.querySelector(`[data-do=${name}]`));
  const said = find("said");
  /** @type {Part[] | null} */
  let copied = null;
  let busy = false;

  /** @param {string} text @param {boolean} [bad] @param {...Node} more */
  const tell = (text, bad = false, ...more) => {
    said.className = bad ? "sf-row sf-bad" : "sf-row";
    said.replaceChildren(text, ...more);
  };

  const shown = (rows = casts.rows.map((_row, index) => index)) => {
    rows.forEach((row) => grid.paint(row));
    const count = casts.unsaved().length;
    button("save").disabled = busy || !count;
    button("save").textContent = count ? `${words.save} (${count})` : words.save;
    button("discard").disabled = busy || !count;
    button("back").disabled = busy || !casts.steps.length;
    const chosen = grid.chosen();
    const cast = chosen.filter(({ row, character }) => casts.part(row, character)).length;
    find("chosen").textContent = fill(words.chosen, { count: chosen.length, cast });
    panel.show();
  };

  /** Rows that may not be changed stay as they are, and it is said why. @param {number[]} shut @param {number[]} [rows] */
  const done = (shut, rows) => {
    if (shut.length) {
      const row = casts.rows[shut[0]];
      const why = row.locked ? fill(words.lockedBy, { user: row.locked }) : words.notYours;
      tell(`${shut.map((index) => casts.rows[index].code).join(", ")}: ${why}`, true);
    } else if (casts.unsaved().length) {
      tell(fill(words.unsaved, { count: casts.unsaved().length }));
    } else {
      tell("");
    }
    shown(rows);
  };
  const rows = () => grid.rowsChosen();

  /** @param {Part | undefined} like */
  const fillFrom = (like) => done(casts.cast(grid.chosen(), like), rows());
  const panel = new Panel(find("part"), find("who"), grid, words, (name, value) =>
    done(casts.say(panel.cast(), name, value === "\n" ? "" : value), rows()));

  /** @type {Record<string, () => void>} */
  const deeds = {
    cast: () => fillFrom(undefined),
    remove: () => done(casts.remove(grid.chosen()), rows()),
    toggle: () => (panel.cast().length === grid.chosen().length ? deeds.remove() : deeds.cast()),
    write: () => {
      if (!panel.cast().length) deeds.cast();
      panel.enter();
    },
    copy: () => {
      copied = casts.now[grid.anchor.row];
      tell(fill(words.copied, { shot: casts.rows[grid.anchor.row].code }));
    },
    paste: () => (copied ? done(casts.give(rows(), copied), rows()) : tell(words.nothingCopied, true)),
    down: () => {
      const top = Math.min(grid.anchor.row, grid.focus.row);
      const cols = [...new Set(grid.chosen().map((cell) => cell.character))];
      done(cols.flatMap((character) => {
        const like = casts.part(top, character);
        return like ? casts.cast(rows().map((row) => ({ row, character })), like) : [];
      }), rows());
    },
    back: () => done([], casts.back()),
    discard: () => {
      casts.change(casts.unsaved(), (_parts, row) => casts.rows[row].casting);
      find("conflict").hidden = true;
      done([]);
    },
    save: () => save(),
  };

  const save = async () => {
    const sent = casts.unsaved();
    if (busy || !sent.length) return;
    busy = true;
    shown(sent);
    const shots = sent.map((row) => ({ id: casts.rows[row].id, row_version: casts.rows[row].version, casting: casts.now[row] }));
    try {
      const answer = await call("POST", told.save, { project: told.project, shots });
      const versions = new Map(answer.changed.map((/** @type {Now} */ one) => [one.id, one.row_version]));
      sent.forEach((row, at) => casts.read(row, shots[at].casting, versions.get(shots[at].id) ?? casts.rows[row].version));
      casts.steps.length = 0;
      find("conflict").hidden = true;
      busy = false;
      done([]);
      if (answer.batch) tell(fill(words.saved, { count: answer.changed.length }), false, undoing(answer.batch));
      else tell(words.same);
    } catch (refused) {
      if (!(refused instanceof NotDone)) throw refused;
      busy = false;
      shown();
      await explain(refused, sent);
    }
  };

  /** @param {string} text */
  const pressed = (text) =>
    /** @type {HTMLButtonElement} */ (make("button", { type: "button", class: "sf-btn sf-slim" }, text));

  /** @param {string} batch */
  const undoing = (batch) => {
    const press = pressed(words.undo);
    press.addEventListener("click", async () => {
      press.disabled = true;
      try {
        await call("POST", told.undo.replace("00000000-0000-0000-0000-000000000000", batch), {});
        leaving = true;
        location.reload();
      } catch (refused) {
        tell(messageOf(refused), true);
      }
    });
    return press;
  };

  /** @param {NotDone} refused @param {number[]} sent: rows */
  const explain = async (refused, sent) => {
    /** @type {Problem[]} */
    const errors = refused.told?.errors ?? [];
    tell(errors.length ? words.refused : refused.message, true);
    const stale = errors.filter((error) => error.code === "stale");
    const list = make("div", { class: "sf-inside sf-page" });
    if (stale.length) {
      /** @type {Map<string, Now>} */
      const fresh = new Map();
      for (let from = 0; from < stale.length; from += 50) {
        const keys = stale.slice(from, from + 50).map((error) => casts.rows[rowOf(error, sent)].id);
        try {
          const answer = await call("GET", `${told.save}?limit=50&id=${keys.join(",")}`);
          answer.results.forEach((/** @type {Now} */ one) => fresh.set(one.id, one));
        } catch (unread) {
          tell(messageOf(unread), true); /* who it was is shown all the same; saving again asks again */
        }
      }
      stale.forEach((error) => list.append(choice(error, rowOf(error, sent), fresh)));
    }
    for (const error of errors.filter((one) => one.code !== "stale")) {
      const row = rowOf(error, sent);
      const where = row === undefined ? error.field : casts.rows[row].code;
      list.append(make("p", { class: "sf-bad" }, `${where}: ${error.message}`));
    }
    find("conflict").replaceChildren(make("h2", { class: "sf-bad" }, stale.length ? words.stale : words.refused), list);
    find("conflict").hidden = !errors.length;
  };

  /** The row that a problem of what was sent is about. @param {Problem} error @param {number[]} sent */
  const rowOf = (error, sent) => sent[Number(/^shots\[(\d+)\]/.exec(error.field)?.[1])];

  /** @param {Part[]} parts */
  const sentence = (parts) => parts.map((part) => {
    const name = told.characters.find((one) => one.code === part.character)?.name ?? part.character;
    const more = [part.costume_override || part.costume, does(part)].filter(Boolean).join(", ");
    return more ? `${name} (${more})` : name;
  }).join(" · ") || words.nobody;

  /**
   * One shot that two people cast: theirs and mine beside each other, and which of them goes on.
   * @param {Problem} error @param {number} row @param {Map<string, Now>} fresh
   */
  const choice = (error, row, fresh) => {
    const now = fresh.get(casts.rows[row].id);
    const box = make("div", { class: "sf-cast-two" }, make("p", {}, error.message));
    if (!now) return box;
    /** @param {boolean} mine */
    const decide = (mine) => () => {
      casts.read(row, now.casting, now.row_version);
      if (!mine) casts.now[row] = now.casting;
      casts.steps.length = 0;
      box.remove();
      find("conflict").hidden = !find("conflict").querySelector(".sf-cast-two");
      done([], [row]);
    };
    const [keep, take] = [words.keep, words.take].map(pressed);
    keep.addEventListener("click", decide(true));
    take.addEventListener("click", decide(false));
    box.append(
      make("p", {}, make("b", {}, `${words.theirs}: `), sentence(now.casting)),
      make("p", {}, make("b", {}, `${words.mine}: `), sentence(casts.now[row])),
      make("p", { class: "sf-row" }, keep, take),
    );
    return box;
  };

  const narrow = () => {
    const asked = find("find").value.trim().toLowerCase();
    const only = find("only").checked;
    const here = new Set(casts.now.flat().map((part) => part.character));
    grid.show((index) => {
      const one = grid.people[index];
      return `${one.code} ${one.name}`.toLowerCase().includes(asked) && (!only || here.has(one.code));
    });
    shown([]);
  };

  let leaving = false;
  window.addEventListener("beforeunload", (event) => {
    if (!leaving) endWriting();
    if (!leaving && casts.unsaved().length) event.preventDefault();
  });
  find("find").addEventListener("input", narrow);
  find("only").addEventListener("change", narrow);
  /** @type {NodeListOf<HTMLElement>} */
  const buttons = page.querySelectorAll("[data-do]");
  buttons.forEach((one) => one.addEventListener("click", () => deeds[one.dataset.do ?? ""]()));
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s" && !grid.at(event.target)) {
      event.preventDefault();
      endWriting();
      save();
    }
  });
  lay(grid, deeds, fillFrom);
  grid.onChoice = () => shown([]);
  shown();
};

if (told.shots.length) begin();
