// Where a container's network namespace is held.

/** In the container's directory: a file that a namespace is bound over. */
export const NETNS_FILE = "netns";
