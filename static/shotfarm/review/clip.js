/* Which moment of a take's file a frame of the shot shows, and which frame is shown at a moment.

   Everything counts in frames of the project, from 0, the take's first. A file may run at another rate,
   begin earlier (frames that repeat the clip before) or at a speed of its own. */

/**
 * @typedef {object} Clip  A take as a page plays it (apps/review/playing.py).
 * @property {string} url     signed address of what a browser shows
 * @property {"video"|"image"|""} kind  "" where there is nothing to show
 * @property {number} fps     frames per second of the file
 * @property {number} start   its first frame that belongs to the shot
 * @property {number} end     behind its last one
 * @property {number} speed   frames of the file per frame of the shot
 * @property {number} frames  how long the take is, in frames of the project
 * @property {number} width   pixels
 * @property {number} height  pixels
 */

/**
 * @param {Clip} clip
 * @param {number} frame of the project, from 0
 * @returns {number} seconds into the file, in the middle of the frame that is shown
 */
export function momentOf(clip, frame) {
  const wanted = clip.start + Math.ceil(frame * clip.speed - 0.5 - 1e-9);
  return (Math.max(clip.start, Math.min(wanted, clip.end - 1)) + 0.5) / clip.fps;
}

/**
 * @param {Clip} clip
 * @param {number} seconds into the file
 * @returns {number} the project's frame that is shown then, with its part of a frame
 */
export function frameAt(clip, seconds) {
  return clip.speed > 0 ? Math.max(0, (seconds * clip.fps - clip.start) / clip.speed) : 0;
}

/**
 * @param {Clip} clip
 * @param {number} fps of the project
 * @returns {number} how fast the file runs when the shot runs at its own pace
 */
export function paceOf(clip, fps) {
  return (clip.speed * fps) / clip.fps;
}

/**
 * @param {number} frame of the project's numbering
 * @param {number} fps
 * @returns {string} minutes, seconds and frames, such as 00:05:12, counted from 0
 */
export function timeText(frame, fps) {
  const whole = Math.max(1, Math.round(fps));
  const seconds = Math.floor(frame / whole);
  const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
  return `${two(Math.floor(seconds / 60))}:${two(seconds % 60)}:${two(frame % whole)}`;
}
