// Debian's docker-registry on loopback in its three forms (open, htpasswd, token), with or without TLS, in a folder that goes away;
// and the token server that its third form needs.
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { createSign, randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** The one login that both protected forms know. */
export const LOGIN = { username: "tester", password: "secret" } as const;
/** bcrypt of that password: what htpasswd -B writes. */
const HTPASSWD_LINE = "tester:$2b$04$UUQvXg1DYSXnJ2/ZsWI5Z.eEynFSpDUKjyQy0evHpHsV/C..m5bH.";
const START_MS = 15_000;

/** A running registry. */
export interface PeerRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** Requests so far, as `METHOD /path status` lines. */
  log(): string[];
}

/** Settings of a registry. */
export interface PeerOptions {
  readonly auth?: "open" | "basic" | "token";
  /** Where the token form sends its clients. */
  readonly realm?: string;
  /** PEM files: the server's, and the authority that client certificates must come from. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly clientCa?: string };
  /** Authority of tokens: a PEM file. */
  readonly tokenCert?: string;
}

/** A port of loopback that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function authLines(folder: string, { auth, realm, tokenCert }: PeerOptions): string[] {
  if (auth === "basic") {
    writeFileSync(join(folder, "htpasswd"), `${HTPASSWD_LINE}\n`);
    return ["auth:", "  htpasswd:", "    realm: test", `    path: ${join(folder, "htpasswd")}`];
  }
  if (auth !== "token") return [];
  return [
    "auth:",
    "  token:",
    `    realm: ${realm}`,
    "    service: peer",
    "    issuer: issuer",
    `    rootcertbundle: ${tokenCert}`,
  ];
}

function tlsLines({ tls }: PeerOptions): string[] {
  if (tls === undefined) return [];
  const client = tls.clientCa === undefined ? [] : ["    clientcas:", `      - ${tls.clientCa}`];
  return ["  tls:", `    certificate: ${tls.cert}`, `    key: ${tls.key}`, ...client];
}

/** Starts a registry; dispose it to end its process and remove its data. */
export async function startPeer(options: PeerOptions = {}): Promise<PeerRegistry> {
  const folder = mkdtempSync(join(tmpdir(), "lap-registry-"));
  const port = await freePort();
  const config = [
    "version: 0.1",
    "log:",
    "  accesslog:",
    "    disabled: false",
    "  level: warn",
    "storage:",
    "  filesystem:",
    `    rootdirectory: ${join(folder, "data")}`,
    "  delete:",
    "    enabled: true",
    "http:",
    `  addr: 127.0.0.1:${port}`,
    ...tlsLines(options),
    ...authLines(folder, options),
  ];
  writeFileSync(join(folder, "config.yml"), `${config.join("\n")}\n`);
  const child = spawn("docker-registry", ["serve", join(folder, "config.yml")], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  await listening(port, child, () => output);
  return {
    host: `127.0.0.1:${port}`,
    log: () =>
      [...output.matchAll(/"([A-Z]+ \S+) HTTP\/1\.1" (\d+)/g)].map(([, request, status]) => `${request} ${status}`),
    async [Symbol.asyncDispose]() {
      await ended(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function listening(port: number, child: ChildProcess, output: () => string): Promise<void> {
  const deadline = Date.now() + START_MS;
  while (!(await canConnect(port))) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`docker-registry did not start: ${output()}`);
    await sleep(30);
  }
}

async function canConnect(port: number): Promise<boolean> {
  const { connect } = await import("node:net");
  const socket = connect(port, "127.0.0.1");
  const isOpen = await new Promise<boolean>((resolve) => {
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
  });
  socket.destroy();
  return isOpen;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}

/** Certificates made with openssl: an authority, a server's for 127.0.0.1, and a client's. */
export interface Certificates extends Disposable {
  readonly folder: string;
  /** Path of `NAME.crt` or `NAME.key`: ca, server, client. */
  path(file: string): string;
}

function openssl(...args: string[]): void {
  const { status, stderr } = spawnSync("openssl", args, { timeout: 30_000 });
  if (status !== 0) throw new Error(`openssl ${args[0]}: ${stderr.toString()}`);
}

/** Makes an authority with one server and one client below it. */
export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), "lap-certs-"));
  const path = (file: string): string => join(folder, file);
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl(
    "req",
    "-x509",
    ...key,
    "-keyout",
    path("ca.key"),
    "-out",
    path("ca.crt"),
    "-subj",
    "/CN=test authority",
    "-days",
    "2",
  );
  for (const [name, extension] of [
    ["server", "subjectAltName=IP:127.0.0.1"],
    ["client", "extendedKeyUsage=clientAuth"],
  ] as const) {
    writeFileSync(path(`${name}.ext`), extension);
    openssl("req", ...key, "-keyout", path(`${name}.key`), "-out", path(`${name}.csr`), "-subj", `/CN=${name}`);
    const signing = ["-CA", path("ca.crt"), "-CAkey", path("ca.key"), "-CAcreateserial", "-days", "2"];
    openssl(
      "x509",
      "-req",
      "-in",
      path(`${name}.csr`),
      ...signing,
      "-extfile",
      path(`${name}.ext`),
      "-out",
      path(`${name}.crt`),
    );
  }
  return { folder, path, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}

/** A token server; it remembers what it was asked. */
export interface TokenServer extends AsyncDisposable {
  readonly realm: string;
  readonly requests: {
    readonly scopes: readonly string[];
    readonly user: string | undefined;
    readonly grant: string;
  }[];
}

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

/** A JSON Web Token as docker-registry checks it: signed by the key of the certificate in its header. */
function signToken(certificates: Certificates, scopes: readonly string[], user: string): string {
  const certificate = readFileSync(certificates.path("ca.crt"), "utf8").replaceAll(/-----[^-]+-----|\s/g, "");
  const seconds = Math.floor(Date.now() / 1000);
  const access = scopes.map((scope) => {
    const [type = "", name = "", actions = ""] = scope.split(":");
    return { type, name, actions: actions.split(",") };
  });
  const claims = {
    iss: "issuer",
    sub: user,
    aud: "peer",
    exp: seconds + 300,
    nbf: seconds - 10,
    iat: seconds,
    jti: randomUUID(),
    access,
  };
  const signed = `${base64url({ typ: "JWT", alg: "ES256", x5c: [certificate] })}.${base64url(claims)}`;
  const key = { key: readFileSync(certificates.path("ca.key")), dsaEncoding: "ieee-p1363" } as const;
  return `${signed}.${createSign("sha256").update(signed).sign(key).toString("base64url")}`;
}

/** Anonymous clients may pull from `public/`; the login and the refresh token may do all. */
export async function startTokenServer(certificates: Certificates, refreshToken: string): Promise<TokenServer> {
  const requests: TokenServer["requests"][number][] = [];
  const server = createHttpServer((request, response) => {
    void answer(request, response, certificates, refreshToken, requests);
  });
  const port = await listen(server);
  return {
    realm: `http://127.0.0.1:${port}/token`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Listens on a free port of loopback. */
export async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return (server.address() as AddressInfo).port;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  certificates: Certificates,
  refreshToken: string,
  requests: TokenServer["requests"],
): Promise<void> {
  const url = new URL(request.url ?? "/", "http://localhost");
  let body = "";
  for await (const chunk of request) body += String(chunk);
  const form = new URLSearchParams(body);
  const scopes = request.method === "POST" ? (form.get("scope") ?? "").split(" ") : url.searchParams.getAll("scope");
  const basic = Buffer.from((request.headers.authorization ?? "").replace("Basic ", ""), "base64").toString();
  const grant = request.method === "POST" ? (form.get("grant_type") ?? "") : "get";
  const isRefresh = form.get("refresh_token") === refreshToken;
  const user = isRefresh || basic === `${LOGIN.username}:${LOGIN.password}` ? LOGIN.username : undefined;
  requests.push({ scopes, user, grant });
  if (user === undefined && (basic !== "" || request.method === "POST")) {
    response.writeHead(401).end();
    return;
  }
  const granted = user === undefined ? scopes.filter((scope) => /^repository:public\/[^:]*:pull$/.test(scope)) : scopes;
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify({ token: signToken(certificates, granted, user ?? ""), expires_in: 300 }));
}
