// Which words name which command; each is a module of its own, imported when invoked. The hot path,
// run, is part of the first file: a chunk of its own would be one more file to find, read and compile.
import type { Command } from "../args/types.ts";
import { createCommand, runCommand } from "./run.ts";

type Load = () => Promise<Command>;

export interface Entry {
  readonly load: Load;
  /** Shown in the top help; absent for spellings of another entry. */
  readonly summary?: string;
}

const run: Load = () => Promise.resolve(runCommand);
const create: Load = () => Promise.resolve(createCommand);
const ps: Load = async () => (await import("./ps.ts")).psCommand;
const logs: Load = async () => (await import("./logs.ts")).logsCommand;
const rm: Load = async () => (await import("./rm.ts")).rmCommand;
const start: Load = async () => (await import("./start.ts")).startCommand;
const stop: Load = async () => (await import("./stop.ts")).stopCommand;
const kill: Load = async () => (await import("./stop.ts")).killCommand;
const wait: Load = async () => (await import("./wait.ts")).waitCommand;
const attach: Load = async () => (await import("./attach.ts")).attachCommand;
const diff: Load = async () => (await import("./diff.ts")).diffCommand;
const commit: Load = async () => (await import("./commit.ts")).commitCommand;
const load: Load = async () => (await import("./load.ts")).loadCommand;
const images: Load = async () => (await import("./images.ts")).imagesCommand;
const rmi: Load = async () => (await import("./rmi.ts")).rmiCommand;
const tag: Load = async () => (await import("./rmi.ts")).tagCommand;
const exec: Load = async () => (await import("./exec.ts")).execCommand;
const pause: Load = async () => (await import("./pause.ts")).pauseCommand;
const unpause: Load = async () => (await import("./pause.ts")).unpauseCommand;
const rename: Load = async () => (await import("./pause.ts")).renameCommand;
const inspect: Load = async () => (await import("./inspect.ts")).inspectCommand;
const restart: Load = async () => (await import("./stop.ts")).restartCommand;
const pull: Load = async () => (await import("./pull.ts")).pullCommand;
const push: Load = async () => (await import("./pull.ts")).pushCommand;
const save: Load = async () => (await import("./save.ts")).saveCommand;
const history: Load = async () => (await import("./save.ts")).historyCommand;
const port: Load = async () => (await import("./port.ts")).portCommand;
const networks: Load = async () => (await import("./network.ts")).networkLsCommand;
const networkRm: Load = async () => (await import("./network.ts")).networkRmCommand;
const exportTar: Load = async () => (await import("./export.ts")).exportCommand;
const importTar: Load = async () => (await import("./export.ts")).importCommand;
const top: Load = async () => (await import("./top.ts")).topCommand;
const stats: Load = async () => (await import("./stats.ts")).statsCommand;
const update: Load = async () => (await import("./update.ts")).updateCommand;
const events: Load = async () => (await import("./events.ts")).eventsCommand;
const systemCheck: Load = async () => (await import("./system-check.ts")).systemCheckCommand;
const version: Load = async () => (await import("./version.ts")).versionCommand;
const info: Load = async () => (await import("./info.ts")).infoCommand;
const login: Load = async () => (await import("./login.ts")).loginCommand;
const logout: Load = async () => (await import("./login.ts")).logoutCommand;
const search: Load = async () => (await import("./search.ts")).searchCommand;
const cp: Load = async () => (await import("./cp.ts")).cpCommand;
const fork: Load = async () => (await import("./fork.ts")).forkCommand;
const snapshot: Load = async () => (await import("./snapshot.ts")).snapshotCommand;
const doctor: Load = async () => (await import("./doctor.ts")).doctorCommand;

const COMMANDS: ReadonlyMap<string, Entry> = new Map<string, Entry>([
  ["run", { load: run, summary: "Create and run a new container from an image" }],
  ["create", { load: create, summary: "Create a new container" }],
  ["start", { load: start, summary: "Start one or more stopped containers" }],
  ["stop", { load: stop, summary: "Stop one or more running containers" }],
  ["kill", { load: kill, summary: "Kill one or more running containers" }],
  ["wait", { load: wait, summary: "Block until one or more containers stop, then print their exit codes" }],
  [
    "attach",
    { load: attach, summary: "Attach local standard input, output, and error streams to a running container" },
  ],
  ["exec", { load: exec, summary: "Execute a command in a running container" }],
  ["pause", { load: pause, summary: "Pause all processes within one or more containers" }],
  ["unpause", { load: unpause, summary: "Unpause all processes within one or more containers" }],
  ["top", { load: top, summary: "Display the running processes of a container" }],
  ["stats", { load: stats, summary: "Display a live stream of container(s) resource usage statistics" }],
  ["restart", { load: restart, summary: "Restart one or more containers" }],
  ["rename", { load: rename, summary: "Rename a container" }],
  ["inspect", { load: inspect, summary: "Return low-level information on Docker objects" }],
  ["ps", { load: ps, summary: "List containers" }],
  ["logs", { load: logs, summary: "Fetch the logs of a container" }],
  ["rm", { load: rm, summary: "Remove one or more containers" }],
  ["cp", { load: cp, summary: "Copy files/folders between a container and the local filesystem" }],
  ["container cp", { load: cp }],
  [
    "mount",
    { load: async () => (await import("./mount.ts")).mountCommand, summary: "Mount folders of this machine as one" },
  ],
  [
    "umount",
    { load: async () => (await import("./mount.ts")).umountCommand, summary: "Take a mount of `lap mount` away" },
  ],
  ["diff", { load: diff, summary: "Inspect changes to files or directories on a container's filesystem" }],
  ["commit", { load: commit, summary: "Create a new image from a container's changes" }],
  ["export", { load: exportTar, summary: "Export a container's filesystem as a tar archive" }],
  ["import", { load: importTar, summary: "Import the contents from a tarball to create a filesystem image" }],
  ["port", { load: port, summary: "List port mappings or a specific mapping for the container" }],
  ["images", { load: images, summary: "List images" }],
  ["load", { load, summary: "Load an image from a tar archive, an OCI layout folder or STDIN" }],
  ["pull", { load: pull, summary: "Download an image from a registry" }],
  ["push", { load: push, summary: "Upload an image to a registry" }],
  ["save", { load: save, summary: "Save one or more images to a tar archive" }],
  ["history", { load: history, summary: "Show the history of an image" }],
  ["tag", { load: tag, summary: "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE" }],
  ["rmi", { load: rmi, summary: "Remove one or more images" }],
  ["update", { load: update, summary: "Update configuration of one or more containers" }],
  ["container update", { load: update }],
  ["events", { load: events, summary: "Get real time events from the server" }],
  ["system events", { load: events }],
  ["system start", { load: async () => (await import("./system-start.ts")).systemStartCommand }],
  ["system stop", { load: async () => (await import("./system-stop.ts")).systemStopCommand }],
  ["system check", { load: systemCheck }],
  ["fork", { load: fork, summary: "Create a new container with the files that another one has now" }],
  ["snapshot", { load: snapshot, summary: "Create an image of the files a container has now" }],
  ["doctor", { load: doctor, summary: "Show what this machine can do, with a remedy for what it cannot" }],
  ["version", { load: version, summary: "Show the lapstrake version information" }],
  ["info", { load: info, summary: "Display system-wide information" }],
  ["login", { load: login, summary: "Authenticate to a registry" }],
  ["logout", { load: logout, summary: "Log out from a registry" }],
  ["search", { load: search, summary: "Search Docker Hub for images" }],
  ["system info", { load: info }],
  ["system df", { load: async () => (await import("./system-df.ts")).systemDfCommand }],
  ["system prune", { load: async () => (await import("./prune.ts")).systemPruneCommand }],
  ["builder prune", { load: async () => (await import("./prune.ts")).builderPruneCommand }],
  ["image remove", { load: rmi }],
  ["container remove", { load: rm }],
  ["container run", { load: run }],
  ["container fork", { load: fork }],
  ["container snapshot", { load: snapshot }],
  ["container create", { load: create }],
  ["container start", { load: start }],
  ["container stop", { load: stop }],
  ["container kill", { load: kill }],
  ["container wait", { load: wait }],
  ["container attach", { load: attach }],
  ["container exec", { load: exec }],
  ["container pause", { load: pause }],
  ["container unpause", { load: unpause }],
  ["container restart", { load: restart }],
  ["container rename", { load: rename }],
  ["container inspect", { load: async () => (await import("./inspect.ts")).containerInspectCommand }],
  ["image inspect", { load: async () => (await import("./inspect.ts")).imageInspectCommand }],
  ["container ls", { load: ps }],
  ["container list", { load: ps }],
  ["container ps", { load: ps }],
  ["container port", { load: port }],
  ["container export", { load: exportTar }],
  ["image import", { load: importTar }],
  ["container top", { load: top }],
  ["container stats", { load: stats }],
  ["container prune", { load: async () => (await import("./prune.ts")).containerPruneCommand }],
  ["image prune", { load: async () => (await import("./prune.ts")).imagePruneCommand }],
  ["network ls", { load: networks }],
  ["network list", { load: networks }],
  ["network rm", { load: networkRm }],
  ["network remove", { load: networkRm }],
  ["network create", { load: async () => (await import("./network-create.ts")).networkCreateCommand }],
  ["network inspect", { load: async () => (await import("./network.ts")).networkInspectCommand }],
  ["network prune", { load: async () => (await import("./network.ts")).networkPruneCommand }],
  ["network connect", { load: async () => (await import("./network-connect.ts")).networkConnectCommand }],
  ["network disconnect", { load: async () => (await import("./network-connect.ts")).networkDisconnectCommand }],
  ["volume ls", { load: async () => (await import("./volume.ts")).volumeLsCommand }],
  ["volume list", { load: async () => (await import("./volume.ts")).volumeLsCommand }],
  ["volume create", { load: async () => (await import("./volume.ts")).volumeCreateCommand }],
  ["volume inspect", { load: async () => (await import("./volume.ts")).volumeInspectCommand }],
  ["volume rm", { load: async () => (await import("./volume.ts")).volumeRmCommand }],
  ["volume remove", { load: async () => (await import("./volume.ts")).volumeRmCommand }],
  ["volume prune", { load: async () => (await import("./volume-prune.ts")).volumePruneCommand }],
  ["container logs", { load: logs }],
  ["container rm", { load: rm }],
  ["container diff", { load: diff }],
  ["container commit", { load: commit }],
  ["image ls", { load: async () => (await import("./image-files.ts")).imageLsCommand }],
  ["image list", { load: images }],
  ["image load", { load }],
  ["image pull", { load: pull }],
  ["image push", { load: push }],
  ["image save", { load: save }],
  ["image history", { load: history }],
  ["image tag", { load: tag }],
  ["image rm", { load: rmi }],
  ["context ls", { load: async () => (await import("./context.ts")).contextLsCommand }],
  ["context list", { load: async () => (await import("./context.ts")).contextLsCommand }],
  ["context show", { load: async () => (await import("./context.ts")).contextShowCommand }],
  ["context use", { load: async () => (await import("./context.ts")).contextUseCommand }],
  ["image cat", { load: async () => (await import("./image-files.ts")).imageCatCommand }],
  ["image tree", { load: async () => (await import("./image-files.ts")).imageTreeCommand }],
  ["image diff", { load: async () => (await import("./image-derive.ts")).imageDiffCommand }],
  ["image squash", { load: async () => (await import("./image-derive.ts")).imageSquashCommand }],
  ["image append", { load: async () => (await import("./image-derive.ts")).imageAppendCommand }],
  ["image rebase", { load: async () => (await import("./image-derive.ts")).imageRebaseCommand }],
  ["image copy", { load: async () => (await import("./image-copy.ts")).imageCopyCommand }],
  [
    "completion",
    {
      load: async () => (await import("./completion.ts")).completionCommand,
      summary: "Print the completion script of a shell",
    },
  ],
  ["_complete", { load: async () => (await import("./complete.ts")).completeCommand }],
  ["_reap", { load: async () => (await import("./internal.ts")).reapCommand }],
  ["_keeper", { load: async () => (await import("./internal.ts")).keeperCommand }],
  ["_wasm", { load: async () => (await import("./internal.ts")).wasmCommand }],
]);

/** The command that `words` begins with, and the words behind it. */
export async function findCommand(
  words: readonly string[],
): Promise<{ readonly command: Command; readonly argv: readonly string[] } | undefined> {
  for (const length of [2, 1]) {
    const entry = COMMANDS.get(words.slice(0, length).join(" "));
    if (entry === undefined || words.length < length) continue;
    const command = await entry.load();
    const name = words.slice(0, length).join(" ");
    return { command: command.name === name ? command : { ...command, name }, argv: words.slice(length) };
  }
  return undefined;
}

/** Every command by its words, for completion. */
export function commandTable(): ReadonlyMap<string, Entry> {
  return COMMANDS;
}

/** Help of `lap`, or of a group of commands; undefined for another word. */
export async function helpOf(group: string | undefined): Promise<string | undefined> {
  const { groupHelp, topHelp } = await import("./help.ts");
  return group === undefined ? topHelp(COMMANDS) : groupHelp(COMMANDS, group);
}
