// Numbers of nf_tables that we use: linux/netfilter/nf_tables.h, nfnetlink.h, netfilter.h; type numbers as nft(8) prints sets.

export const NFNL_SUBSYS_NFTABLES = 10;
export const NFNL_MSG_BATCH_BEGIN = 16;
export const NFNL_MSG_BATCH_END = 17;
export const NFNL_BATCH_GENID = 1;

export const MSG = {
  NEWTABLE: 0,
  GETTABLE: 1,
  DELTABLE: 2,
  NEWCHAIN: 3,
  GETCHAIN: 4,
  NEWRULE: 6,
  GETRULE: 7,
  NEWSET: 9,
  GETSET: 10,
  NEWSETELEM: 12,
  GETSETELEM: 13,
  DELSETELEM: 14,
  GETGEN: 16,
} as const;

/** nf_tables families that we own tables in. */
export const FAMILY = { ip: 2, ip6: 10 } as const;

export const TABLE = { NAME: 1, USERDATA: 6 } as const;
export const CHAIN = { TABLE: 1, NAME: 3, HOOK: 4, POLICY: 5, TYPE: 7 } as const;
export const HOOK = { NUM: 1, PRIORITY: 2 } as const;
export const RULE = { TABLE: 1, CHAIN: 2, HANDLE: 3, EXPRESSIONS: 4, USERDATA: 7 } as const;
export const SET = {
  TABLE: 1,
  NAME: 2,
  FLAGS: 3,
  KEY_TYPE: 4,
  KEY_LEN: 5,
  DATA_TYPE: 6,
  DATA_LEN: 7,
  ID: 10,
  USERDATA: 13,
} as const;
export const SET_MAP = 0x8;
export const ELEM_LIST = { TABLE: 1, SET: 2, ELEMENTS: 3 } as const;
export const ELEM = { KEY: 1, DATA: 2, USERDATA: 6 } as const;
export const LIST_ELEM = 1;
export const EXPR = { NAME: 1, DATA: 2 } as const;
export const DATA = { VALUE: 1, VERDICT: 2 } as const;
export const VERDICT = { CODE: 1, CHAIN: 2 } as const;
export const GEN_ID = 1;

export const NF_DROP = 0;
export const NF_ACCEPT = 1;
export const NFT_JUMP = -3;

/** Hooks of the IP families by name. */
export const HOOK_NUMBER = { prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4 } as const;

/** nft's datatypes that appear in our sets: number and bytes in a register. */
export const TYPES = {
  ipv4_addr: { id: 7, bytes: 4 },
  ipv6_addr: { id: 8, bytes: 16 },
  inet_proto: { id: 12, bytes: 1 },
  inet_service: { id: 13, bytes: 2 },
  ifname: { id: 41, bytes: 16 },
} as const;
