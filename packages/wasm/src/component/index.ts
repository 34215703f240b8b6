// Components and text: what needs jco. A subpath of its own, so that plain modules never load it.
export { parseWat } from "./jco.ts";
