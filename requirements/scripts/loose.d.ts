/* Scripts that are not typed strictly yet (tsconfig.json leaves them out) may ask anything of an element. What they
   call of each other, and names, are checked. */

interface EventTarget {
  [property: string]: any;
}
interface Event {
  [property: string]: any;
}
