/* The list of shots: cells that open where they stand, rows that are put in order, clips that play in the gallery. */

import { editing } from "./cells.js";
import { playing } from "./clips.js";
import { ordering } from "./order.js";
import { root, table } from "./talk.js";

if (root && table) {
  editing();
  if (root.dataset.sequence) ordering();
  if (root.classList.contains("sf-gallery")) playing();
}
