// The page of the browser test: a guest over an in-memory union, its answer as the page's text.
import { OPEN, UnionFs } from "@lapstrake/layers";
import { runWasm } from "@lapstrake/wasm";

interface Page {
  /** Set by the test: the guest. */
  readonly guest: string;
  readonly document: { body: { textContent: string } };
  atob(text: string): string;
}

const page = globalThis as unknown as Page;

async function main(): Promise<object> {
  const fs = UnionFs.create([]);
  const { handle } = fs.create(fs.root, "motd", 0o644, OPEN.write);
  fs.write(handle, new TextEncoder().encode("welcome\n"), 0, 8, 0);
  fs.close(handle);
  const module = Uint8Array.from(page.atob(page.guest), (letter) => letter.charCodeAt(0));
  const args = ["hello", "cat", "/motd", "write", "/new", "text", "ls", "/"];
  const exit = await runWasm({ fs, module, args, placement: "thread" });
  const changes = fs.changes().map(({ path }) => path);
  return { exitCode: exit.exitCode, stdout: new TextDecoder().decode(exit.stdout), changes };
}

try {
  page.document.body.textContent = JSON.stringify(await main());
} catch (error) {
  page.document.body.textContent = JSON.stringify({ error: String(error) });
}
