// A program in JavaScript: says hello to its argument, and copies its input to the file that its second argument names.
import { getArguments } from "wasi:cli/environment@0.2.0";
import { getStdin } from "wasi:cli/stdin@0.2.0";
import { getStdout } from "wasi:cli/stdout@0.2.0";
import { getDirectories } from "wasi:filesystem/preopens@0.2.0";

// QuickJS has no TextEncoder.
const encode = (text) => Uint8Array.from(unescape(encodeURIComponent(text)), (letter) => letter.charCodeAt(0));
const decode = (bytes) => decodeURIComponent(escape(String.fromCharCode(...bytes)));

function readAll(input) {
  let text = "";
  for (;;) {
    try {
      text += decode(input.blockingRead(4096));
    } catch {
      return text; // the end
    }
  }
}

export const run = {
  run() {
    const [, name = "nobody", file] = getArguments();
    getStdout().blockingWriteAndFlush(encode(`hello ${name} from JavaScript\n`));
    if (file === undefined) return;
    const [[root]] = getDirectories();
    const made = root.openAt({}, file, { create: true, truncate: true }, { write: true });
    made.write(encode(readAll(getStdin()).toUpperCase()), 0);
  },
};
