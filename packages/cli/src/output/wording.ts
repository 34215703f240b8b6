// Docker's words for states, commands and times.
import { formatAgo, type Timespec } from "@lapstrake/base";
import type { ContainerStatus, HealthStatus } from "@lapstrake/engine";

const COMMAND_WIDTH = 20;

/** The STATUS column: `Up 3 minutes`, `Exited (137) 2 seconds ago`, `Created`. */
export function containerStatusText(status: ContainerStatus, health?: HealthStatus): string {
  const since = (time: Timespec | undefined): string =>
    formatAgo(time === undefined ? 0 : Date.now() - time.sec * 1000 - time.nsec / 1e6);
  switch (status.state) {
    case "running":
      return `Up ${since(status.startedAt)}${healthText(health)}`;
    case "paused":
      return `Up ${since(status.startedAt)} (Paused)`;
    case "exited":
      return `Exited (${status.exitCode}) ${since(status.finishedAt)} ago${status.supervisorLost ? " (supervisorLost)" : ""}`;
    case "restarting":
      return `Restarting (${status.exitCode}) ${since(status.finishedAt)} ago`;
    case "removing":
      return "Removal In Progress";
    case "dead":
      return "Dead";
    case "created":
      return "Created";
  }
}

function healthText(health: HealthStatus | undefined): string {
  if (health === undefined) return "";
  return health === "starting" ? " (health: starting)" : ` (${health})`;
}

/** The COMMAND column without its quotes, cut to 20 characters. */
export function commandText(args: readonly string[], noTrunc: boolean): string {
  const text = args.map((arg) => (/[ '"\t\n]/.test(arg) ? `'${arg.replaceAll("'", "'\\''")}'` : arg)).join(" ");
  const runes = [...text];
  return noTrunc || runes.length <= COMMAND_WIDTH ? text : `${runes.slice(0, COMMAND_WIDTH - 1).join("")}…`;
}
