/* What plays: a frame, a pace, and whether it goes on. One clock for everything that is on the screen. */

/** @typedef {import("./screen.js").Screen} Screen */

export class Transport {
  /**
   * @param {object} told
   * @param {number} told.fps
   * @param {() => Screen[]} told.screens  what runs now; the first video leads
   * @param {() => void} told.changed  the frame, the pace or the length has changed
   * @param {() => boolean} told.ended  the end was reached; true: something else plays on
   */
  constructor({ fps, screens, changed, ended }) {
    this.fps = fps;
    this.screens = screens;
    this.changed = changed;
    this.endedThere = ended;
    this.frame = 0;
    this.frames = 1;
    this.rate = 0; // 0 stands still; negative runs backwards
    this.loop = true;
    this.from = { frame: 0, at: 0 };
    this.tick = this.tick.bind(this);
  }

  get playing() {
    return this.rate !== 0;
  }

  /** Something else is shown. @param {number} frames how long @param {number} frame where it begins */
  load(frames, frame = 0) {
    this.frames = Math.max(1, frames);
    this.frame = Math.max(0, Math.min(frame, this.frames - 1));
    const rate = this.rate;
    this.#seekAll();
    if (rate) this.play(rate);
    this.changed();
  }

  /** Stand at a frame. @param {number} frame */
  go(frame) {
    this.pause();
    this.frame = Math.max(0, Math.min(Math.round(frame), this.frames - 1));
    this.#seekAll();
    this.changed();
  }

  /** @param {number} frames */
  step(frames) {
    const next = this.frame + frames;
    this.go(this.loop ? (next + this.frames) % this.frames : next);
  }

  toggle() {
    if (this.playing) this.go(this.frame);
    else this.play(1);
  }

  pause() {
    this.rate = 0;
    for (const screen of this.screens()) screen.pause();
  }

  /** @param {number} rate */
  async play(rate) {
    const began = this.playing;
    this.rate = rate;
    if (rate > 0 && this.frame >= this.frames - 1) {
      this.frame = 0;
      this.#seekAll();
    }
    this.from = { frame: this.frame, at: performance.now() };
    this.changed();
    if (!began) requestAnimationFrame(this.tick);
    for (const screen of this.screens()) {
      if (rate > 0) screen.play(rate);
      else screen.pause();
    }
  }

  /** J, K and L: each further press doubles the pace in its direction. @param {-1|1} way */
  shuttle(way) {
    const same = Math.sign(this.rate) === way;
    this.play(same ? Math.max(-8, Math.min(8, this.rate * 2)) : way);
  }

  #seekAll() {
    for (const screen of this.screens()) screen.seek(this.frame);
  }

  #leader() {
    return this.screens().find((screen) => screen.frame !== null && !screen.ended
      && screen.clip.frames === Math.max(...this.screens().map((one) => one.clip.kind === "video" ? one.clip.frames : 0)));
  }

  tick() {
    if (!this.playing) return;
    const leader = this.rate > 0 ? this.#leader() : undefined;
    let at = this.from.frame + ((performance.now() - this.from.at) / 1000) * this.fps * this.rate;
    if (leader) {
      at = /** @type {number} */ (leader.frame);
      this.from = { frame: at, at: performance.now() };
      for (const screen of this.screens()) if (screen !== leader) screen.follow(at, this.rate);
    }
    const frame = Math.floor(at + 0.02);
    const over = this.rate > 0 ? frame >= this.frames : frame < 0;
    if (over) this.#atTheEnd();
    else if (frame !== this.frame) {
      this.frame = Math.max(0, frame);
      if (this.rate < 0) this.#seekAll();
      this.changed();
    }
    if (this.playing) requestAnimationFrame(this.tick);
  }

  #atTheEnd() {
    if (this.rate > 0 && this.endedThere()) return;
    if (!this.loop) {
      this.go(this.rate > 0 ? this.frames - 1 : 0);
      return;
    }
    this.frame = this.rate > 0 ? 0 : this.frames - 1;
    this.#seekAll();
    this.from = { frame: this.frame, at: performance.now() };
    for (const screen of this.screens()) if (this.rate > 0) screen.play(this.rate);
    this.changed();
  }
}
