// What a resolver of the machine answers, for tests that stand in for one.

/** Where every name is said to be. */
export const EVERYWHERE = "192.0.2.7";

/** The answer to a query: one A record, at the question's own name. */
export function dnsReply(query: Buffer): Buffer {
  const head = Buffer.from(query.subarray(0, 12));
  head.writeUInt16BE(0x8180, 2);
  head.writeUInt16BE(1, 6);
  head.writeUInt16BE(0, 10);
  const end = 12 + query.subarray(12).indexOf(0) + 5;
  const record = Buffer.from("c00c00010001000000050004c0000207", "hex");
  return Buffer.concat([head, query.subarray(12, end), record]);
}
