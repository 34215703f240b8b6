// For tests of filesystems under a guest: host calls without a module around them.
export { Probe, ROOT_FD } from "./probe.ts";
export { DIR_RIGHTS, FILE_RIGHTS } from "../p1/abi.ts";
