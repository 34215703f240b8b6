// What of wasix_32v1 is offered; apart from the functions themselves, because the linker check needs only names.

/** Functions offered by name. */
export const WASIX_FUNCTIONS: readonly string[] = [
  "proc_spawn",
  "proc_join",
  "proc_id",
  "proc_parent",
  "fd_pipe",
  "fd_dup",
  "getcwd",
];
