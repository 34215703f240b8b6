// Components and text: what needs jco. A subpath of its own, so that plain modules never load it.
export { embedModule, parseWat, wrapModule } from "./jco.ts";
export { runComponent, type ComponentRun } from "./run-component.ts";
export { wrappedCommand } from "./bypass.ts";
export { openHttpComponent, type HttpComponent } from "./http-component.ts";
export { translateAhead } from "./cache.ts";
export { answersHttp } from "./kind.ts";
