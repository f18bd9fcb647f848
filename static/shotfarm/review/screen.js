/* One take on the screen: a video that is stepped by frames, or a picture that is held. */

import { frameAt, momentOf, paceOf } from "./clip.js";

/** @typedef {import("./clip.js").Clip} Clip */

export class Screen {
  /**
   * @param {Clip} clip
   * @param {number} fps of the project
   */
  constructor(clip, fps) {
    this.clip = clip;
    this.fps = fps;
    this.box = document.createElement("div");
    this.box.className = "sf-screen";
    /** @type {HTMLVideoElement|null} */
    this.video = null;
    /** @type {number|null} where a seek that is under way leads; the newest wish wins */
    this.wished = null;
    this.seeking = false;
    if (clip.kind === "video") this.#openVideo();
    else if (clip.kind === "image") this.#openPicture();
  }

  #openVideo() {
    const video = document.createElement("video");
    video.src = this.clip.url;
    video.preload = "auto";
    video.playsInline = true;
    video.muted = true;
    video.disablePictureInPicture = true;
    video.addEventListener("seeked", () => this.#arrived());
    video.addEventListener("loadeddata", () => { this.seeking = false; this.seek(this.wished ?? 0); });
    this.box.append(video);
    this.video = video;
    this.seeking = true; // nothing can be sought before there is data
  }

  #openPicture() {
    const picture = document.createElement("img");
    picture.src = this.clip.url;
    picture.alt = "";
    picture.draggable = false;
    this.box.append(picture);
  }

  #arrived() {
    this.seeking = false;
    if (this.wished !== null && this.video && this.video.paused) {
      const next = momentOf(this.clip, this.wished);
      if (Math.abs(this.video.currentTime - next) > 0.001) this.seek(this.wished);
    }
  }

  /** Show a frame. While one seek is under way the next waits, so that scrubbing never falls behind.
   * @param {number} frame */
  seek(frame) {
    this.wished = frame;
    if (!this.video || this.seeking) return;
    const moment = momentOf(this.clip, frame);
    if (Math.abs(this.video.currentTime - moment) < 0.0005) return;
    this.seeking = true;
    this.video.currentTime = moment;
  }

  /** Start to run. @param {number} rate 1 is the shot's own pace */
  async play(rate) {
    if (!this.video) return;
    this.video.playbackRate = Math.min(16, Math.max(0.07, rate * paceOf(this.clip, this.fps)));
    try {
      await this.video.play();
    } catch (error) {
      if (!(error instanceof DOMException)) throw error; // paused again before it began, or no file
    }
  }

  pause() {
    if (this.video) this.video.pause();
  }

  /** The frame that is shown now, with its part; null for a picture, or before there is data. */
  get frame() {
    if (!this.video || this.video.readyState < 2) return null;
    return frameAt(this.clip, this.video.currentTime);
  }

  /** Whether it has run out of file. */
  get ended() {
    return Boolean(this.video && this.video.ended);
  }

  /** Run after a leader: a little faster or slower for a little difference, at once for a large one.
   * @param {number} frame @param {number} rate */
  follow(frame, rate) {
    const now = this.frame;
    if (!this.video || now === null || this.video.seeking) return;
    const behind = frame - now;
    const pace = rate * paceOf(this.clip, this.fps);
    if (Math.abs(behind) > 4) {
      this.video.currentTime = momentOf(this.clip, frame);
    } else {
      this.video.playbackRate = Math.min(16, Math.max(0.07, pace * (1 + Math.max(-0.2, Math.min(0.2, behind / 8)))));
    }
    if (this.video.paused && frame < this.clip.frames - 1) this.play(rate);
  }

  /** Lay the picture into its pane. @param {number} width @param {number} height of the pane */
  fit(width, height) {
    const scale = Math.min(width / (this.clip.width || 16), height / (this.clip.height || 9));
    const size = [(this.clip.width || 16) * scale, (this.clip.height || 9) * scale];
    this.box.style.width = `${size[0]}px`;
    this.box.style.height = `${size[1]}px`;
    this.box.style.left = `${(width - size[0]) / 2}px`;
    this.box.style.top = `${(height - size[1]) / 2}px`;
  }

  close() {
    if (this.video) {
      this.video.pause();
      this.video.removeAttribute("src");
      this.video.load();
    }
    this.box.remove();
  }
}
