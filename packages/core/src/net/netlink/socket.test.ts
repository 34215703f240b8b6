// The conversation with a kernel that is a script: what comes late, torn, refused or for somebody else.
import { expect, test } from "vitest";
import { RecordingSyscalls } from "../../sys/recording.ts";
import { concat, u32 } from "./attrs.ts";
import { decodeMessages, NLM_F_DUMP_INTR, NLM_F_MULTI, NLMSG_DONE, NLMSG_ERROR, type Request } from "./message.ts";
import { NetlinkSocket } from "./socket.ts";

const MSG_PEEK = 2;
const REQUEST: Request = {
  type: 18,
  flags: 0,
  header: new Uint8Array(16),
  attrs: [],
  name: "RTM_GETLINK",
  subject: "x",
};

function message(type: number, flags: number, seq: number, payload: Uint8Array): Uint8Array {
  const head = concat([u32(16 + payload.length), Uint8Array.of(type, 0, flags & 0xff, flags >> 8), u32(seq), u32(0)]);
  return concat([head, payload]);
}

function ack(seq: number, errno = 0): Uint8Array {
  return message(NLMSG_ERROR, 0, seq, concat([u32(-errno), new Uint8Array(16)]));
}

/** A socket whose kernel answers each sent datagram with what `answer` gives for its sequence numbers. */
function scripted(answer: (seqs: readonly number[], turn: number) => Uint8Array[]): {
  socket: NetlinkSocket;
  sys: RecordingSyscalls;
} {
  const queue: Uint8Array[] = [];
  let turn = 0;
  const sys = new RecordingSyscalls(({ name, args }) => {
    if (name === "socket") return 99_999;
    if (name === "sendto")
      queue.push(
        ...answer(
          decodeMessages(args[1] as Uint8Array).map(({ seq }) => seq),
          turn++,
        ),
      );
    if (name !== "recvfrom") return 0;
    const next = queue[0];
    if (next === undefined) return -11;
    (args[1] as Uint8Array).set(next);
    if (((args[3] as number) & MSG_PEEK) === 0) queue.shift();
    return next.length;
  });
  return { socket: new NetlinkSocket(0, { sys }), sys };
}

test("every request of a datagram is waited for, and the first refusal is the error", () => {
  const { socket } = scripted(([a, b, c]) => [concat([ack(7777), ack(a!)]), concat([ack(b!, 17), ack(c!, 22)])]);
  expect(() => socket.request(REQUEST, REQUEST, REQUEST)).toThrow(
    expect.objectContaining({ code: "EEXIST", syscall: "RTM_GETLINK", path: "x" }),
  );
});

test("a list that changed while it was read is read again, and its first half forgotten", () => {
  const { socket } = scripted(([seq], turn) => {
    const flags = NLM_F_MULTI | (turn === 0 ? NLM_F_DUMP_INTR : 0);
    return [message(16, flags, seq!, u32(turn)), message(NLMSG_DONE, NLM_F_MULTI, seq!, u32(0))];
  });
  expect(socket.dump(REQUEST).map(({ payload }) => [...payload])).toEqual([[1, 0, 0, 0]]);
  const never = scripted(([seq]) => [message(NLMSG_DONE, NLM_F_DUMP_INTR, seq!, u32(0))]);
  expect(() => never.socket.dump(REQUEST)).toThrow(expect.objectContaining({ code: "ERR_LAP_NETLINK_BUSY" }));
});

test("an answer is needed where one was asked for", () => {
  const good = scripted(([seq]) => [message(16, 0, seq!, u32(5)), ack(seq!)]);
  expect([...good.socket.get(REQUEST).payload]).toEqual([5, 0, 0, 0]);
  const empty = scripted(([seq]) => [ack(seq!)]);
  expect(() => empty.socket.get(REQUEST)).toThrow(expect.objectContaining({ code: "ERR_LAP_NETLINK_REPLY" }));
});

test("a kernel that stays silent is an error, not a wait for ever", () => {
  const { socket } = scripted(() => []);
  expect(() => socket.request(REQUEST)).toThrow(expect.objectContaining({ code: "ETIMEDOUT" }));
});
