/* Who is in which shot, as typed here: what was read, what became of it, and each step back. */

/**
 * @typedef {{character: string, action: string, action_ko: string, costume: string, costume_override: string,
 *            costume_override_ko: string, lora_weight: number | null}} Part
 * @typedef {{id: string, code: string, what: string, version: number, locked: string, may: boolean, picture: string,
 *            url: string, casting: Part[]}} Row
 * @typedef {{code: string, name: string, face: string, archived: boolean, costumes: string[], default: string}} Person
 */

/** @param {string} character @returns {Part} */
const fresh = (character) => ({
  character, action: "", action_ko: "", costume: "", costume_override: "", costume_override_ko: "", lora_weight: null,
});

/** What somebody does, in the page's language where it is told in it. @param {Part} part */
export const does = (part) => (
  document.documentElement.lang === "ko" ? part.action_ko || part.action : part.action || part.action_ko
);

export class Casts {
  /** @param {Row[]} rows */
  constructor(rows) {
    this.rows = rows;
    this.now = rows.map((row) => row.casting);
    /** @type {Map<number, Part[]>[]} */
    this.steps = [];
  }

  /** @param {number} row @param {string} character @returns {Part | undefined} */
  part(row, character) {
    return this.now[row].find((part) => part.character === character);
  }

  /** @param {number} row @param {string} character */
  place(row, character) {
    return this.now[row].findIndex((part) => part.character === character);
  }

  /** @param {number} row */
  changed(row) {
    return JSON.stringify(this.now[row]) !== JSON.stringify(this.rows[row].casting);
  }

  /** Rows that say something else than what was read. */
  unsaved() {
    return this.rows.map((_row, index) => index).filter((index) => this.changed(index));
  }

  /**
   * Change rows as one step; those that may not be changed are passed over and returned.
   * @param {Iterable<number>} rows
   * @param {(parts: Part[], row: number) => Part[]} become
   */
  change(rows, become) {
    const before = new Map();
    const shut = [];
    for (const row of new Set(rows)) {
      const parts = become(this.now[row], row);
      if (JSON.stringify(parts) === JSON.stringify(this.now[row])) continue;
      if (!this.rows[row].may) {
        shut.push(row);
        continue;
      }
      before.set(row, this.now[row]);
      this.now[row] = parts;
    }
    if (before.size) this.steps.push(before);
    return shut;
  }

  /** Take the last step back; the rows it changed. */
  back() {
    const step = this.steps.pop();
    for (const [row, parts] of step ?? []) this.now[row] = parts;
    return [...(step?.keys() ?? [])];
  }

  /** @param {number} row @param {Part[]} casting @param {number} version: what the farm says now */
  read(row, casting, version) {
    this.rows[row].casting = casting;
    this.rows[row].version = version;
  }

  /**
   * Cast characters in rows where they are not yet; of a like character with all that a part says.
   * @param {{row: number, character: string}[]} cells @param {Part} [like]
   */
  cast(cells, like) {
    return this.change(cells.map((cell) => cell.row), (parts, row) => {
      const coming = cells
        .filter((cell) => cell.row === row && !parts.some((part) => part.character === cell.character))
        .map((cell) => (like?.character === cell.character ? { ...like } : fresh(cell.character)));
      return coming.length ? [...parts, ...coming] : parts;
    });
  }

  /** @param {{row: number, character: string}[]} cells */
  remove(cells) {
    return this.change(cells.map((cell) => cell.row), (parts, row) => {
      const going = new Set(cells.filter((cell) => cell.row === row).map((cell) => cell.character));
      return parts.filter((part) => !going.has(part.character));
    });
  }

  /**
   * Say something of every one of these who is cast.
   * @param {{row: number, character: string}[]} cells @param {string} name @param {string | number | null} value
   */
  say(cells, name, value) {
    return this.change(cells.map((cell) => cell.row), (parts, row) => {
      const meant = new Set(cells.filter((cell) => cell.row === row).map((cell) => cell.character));
      if (name !== "order") return parts.map((part) => (meant.has(part.character) ? { ...part, [name]: value } : part));
      const moving = parts.filter((part) => meant.has(part.character));
      const rest = parts.filter((part) => !meant.has(part.character));
      const place = Math.min(Math.max(Number(value) - 1, 0), rest.length);
      return [...rest.slice(0, place), ...moving, ...rest.slice(place)];
    });
  }

  /** @param {Iterable<number>} rows @param {Part[]} parts */
  give(rows, parts) {
    return this.change(rows, () => parts.map((part) => ({ ...part })));
  }
}
