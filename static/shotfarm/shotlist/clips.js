/* The gallery: a clip plays while the pointer is on its picture, or its link has the focus. */

import { all, datum, table } from "./talk.js";

/** @param {HTMLElement} holder */
const play = (holder) => {
  if (holder.querySelector("video")) return;
  const video = document.createElement("video");
  Object.assign(video, { src: datum(holder, "clip"), muted: true, loop: true, playsInline: true });
  video.className = "sf-thumb";
  holder.append(video);
  video.play().catch(() => video.remove()); /* the pointer was gone before it began */
};

/** @param {HTMLElement} holder */
const stop = (holder) => {
  const video = holder.querySelector("video");
  if (!video) return;
  video.pause();
  video.removeAttribute("src");
  video.load(); /* lets go of the file */
  video.remove();
};

export const playing = () => {
  for (const holder of all(table, "[data-clip]")) {
    const link = holder.closest("a") ?? holder;
    link.addEventListener("pointerenter", () => play(holder));
    link.addEventListener("pointerleave", () => stop(holder));
    link.addEventListener("focus", () => play(holder));
    link.addEventListener("blur", () => stop(holder));
  }
};
