// The public face of this room. Filled by the issue that builds it.
export {};
