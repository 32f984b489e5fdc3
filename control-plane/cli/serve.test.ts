/** How `serve` starts, and that one which does not start leaves everything as it was. */

import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Run, runProgram, startServe } from "../testing/program.ts";

// Each test starts processes of its own.
setDefaultTimeout(60_000);

let home: string;
let formerUmask: number;

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "portolan-serve-"));
  // What most machines have: files are readable for all unless a program says otherwise.
  formerUmask = process.umask(0o022);
  for (const name of ["server", "other"]) makeCertificate(name);
});

afterAll(() => {
  process.umask(formerUmask);
  rmSync(home, { recursive: true });
});

function makeCertificate(name: string): void {
  const request =
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=portolan";
  const [key, cert] = [join(home, `${name}.key`), join(home, `${name}.crt`)];
  const made = Bun.spawnSync(
    request.split(" ").concat("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert),
  );
  if (!made.success) throw new Error(`openssl: ${made.stderr.toString()}`);
}

/** A `serve` that is not expected to start. */
function serve(directory: string, args: readonly string[]): Promise<Run> {
  return runProgram(["serve", "--data-dir", directory, "--listen", "127.0.0.1:0", ...args], { HOME: home });
}

function mode(...path: string[]): string {
  return (statSync(join(...path)).mode & 0o777).toString(8);
}

test("its state is for its owner only", async () => {
  const directory = join(home, "modes");
  const server = await startServe(["--data-dir", directory], { HOME: home });
  const files = ["admin-token", "portolan.sqlite", "portolan.sqlite-wal", "portolan.sqlite-shm"];
  expect(mode(directory)).toBe("700");
  expect(files.map((file) => mode(directory, file))).toEqual(files.map(() => "600"));
  expect(await server.stop()).toBe(0);
});

test.each([
  [["--listen", "8420"], "is no address to listen on"],
  [["--trusted-proxy", "everyone"], "is no address or network of a proxy"],
  [["--public-url", "portolan.example"], "is no public URL"],
  [["--minimum-agent-version", "new"], "is no version of an agent"],
  [["--asn-database", "/nonexistent/asn.mmdb"], "cannot use /nonexistent/asn.mmdb as an ASN database"],
  [["--database-url", "mysql://u:secret@localhost/x"], "'mysql:…@localhost/x' is no database for Portolan"],
  [["--database-url", "portolan.sqlite"], "'portolan.sqlite' is no database for Portolan"],
  [["--tls-cert", "cert.pem"], "--tls-cert and --tls-key go together"],
  [["--tls-cert", "none.crt", "--tls-key", "HOME/server.key"], "cannot read the file of --tls-cert: ENOENT"],
  [
    ["--tls-cert", "HOME/server.crt", "--tls-key", "HOME/none.key"],
    "cannot read the file of --tls-key: ENOENT",
  ],
  [["--tls-cert", "HOME/server.crt", "--tls-key", "HOME/other.key"], "are no certificate with its key"],
])("%j is refused in one line, before anything is made", async (args, message) => {
  const directory = join(home, "unused");
  const refused = await serve(
    directory,
    args.map((arg) => arg.replace("HOME", home)),
  );
  expect([refused.exitCode, refused.stdout]).toEqual([2, ""]);
  expect(refused.stderr).toStartWith("portolan-control: ");
  expect(refused.stderr).toContain(message);
  expect(refused.stderr.trimEnd()).not.toContain("\n");
  expect(existsSync(directory)).toBe(false);
});

test("a data directory that cannot be written to is refused in one line", async () => {
  writeFileSync(join(home, "file"), "");
  const directory = join(home, "file", "state");
  const refused = await serve(directory, []);
  expect([refused.exitCode, refused.stdout]).toEqual([2, ""]);
  expect(refused.stderr).toMatch(
    /^portolan-control: cannot write to \S+\/file\/state \(.+\); run as the user it belongs to, or give --data-dir\n$/,
  );
});

test.each([
  ["postgres://nobody@127.0.0.1:1/none", "the database cannot be reached: "],
  [
    "sqlite:/nonexistent/x.sqlite",
    "the database cannot be reached: ENOENT: no such file or directory, open '/n",
  ],
])("the database %s, which cannot be had, is a failure and makes no token", async (url, message) => {
  const directory = join(home, "unreachable");
  const failed = await serve(directory, ["--database-url", url]);
  expect([failed.exitCode, failed.stdout]).toEqual([1, ""]);
  expect(failed.stderr).toContain(message);
  expect(existsSync(join(directory, "admin-token"))).toBe(false);
});

test("a port that is taken is a failure in one line, and makes neither database nor token", async () => {
  const taken = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => {} } });
  const directory = join(home, "second");
  const address = `127.0.0.1:${taken.port}`;
  const failed = await serve(directory, ["--listen", address]);
  taken.stop(true);
  expect(failed).toEqual({
    exitCode: 1,
    stdout: "",
    stderr: `portolan-control: cannot listen on ${address}: another program has it\n`,
  });
  expect(existsSync(join(directory, "admin-token"))).toBe(false);
  expect(existsSync(join(directory, "portolan.sqlite"))).toBe(false);
});

test("a new database does not overwrite the token of another, and gets none of its own", async () => {
  const directory = join(home, "kept");
  const file = join(directory, "admin-token");
  mkdirSync(directory);
  writeFileSync(file, "ptl_op_of-another-database\n");
  const refused = await serve(directory, ["--log-level", "warning"]);
  expect(refused).toEqual({
    exitCode: 2,
    stdout: "",
    stderr: `portolan-control: the database is new, but ${file} holds the token of another: move that file away, or give the --database-url it belongs to\n`,
  });
  expect(readFileSync(file, "utf8")).toBe("ptl_op_of-another-database\n");
  const database = new Database(join(directory, "portolan.sqlite"));
  expect(database.query("select * from operator_tokens").all()).toEqual([]);
  database.close();

  rmSync(file);
  const server = await startServe(["--data-dir", directory], { HOME: home });
  expect(await server.stop()).toBe(0);
  const token = readFileSync(file, "utf8");
  expect(token).toStartWith("ptl_op_");

  const again = await startServe(["--data-dir", directory], { HOME: home });
  expect(await again.stop()).toBe(0);
  expect(readFileSync(file, "utf8")).toBe(token);
});

test("commands trust its certificate only when its authority is given", async () => {
  const directory = join(home, "tls");
  const [cert, key] = [join(home, "server.crt"), join(home, "server.key")];
  const server = await startServe(["--data-dir", directory, "--tls-cert", cert, "--tls-key", key], {
    HOME: home,
  });
  const list = ["scanner", "list", "--server", server.url, "--token-file", join(directory, "admin-token")];
  const trusting = await runProgram([...list, "--ca-file", cert], { HOME: home });
  const byEnvironment = await runProgram(list, { HOME: home, PORTOLAN_CA_FILE: cert });
  const wary = await runProgram(list, { HOME: home });
  expect(await server.stop()).toBe(0);
  expect([trusting.exitCode, byEnvironment.exitCode]).toEqual([0, 0]);
  expect(wary).toEqual({
    exitCode: 2,
    stdout: "",
    stderr: `portolan-control: cannot reach ${server.url}: its certificate is not trusted; give its authority's with --ca-file\n`,
  });
  const noCertificate = await runProgram([...list, "--ca-file", key], { HOME: home });
  expect([noCertificate.exitCode, noCertificate.stderr]).toEqual([
    2,
    `portolan-control: there is no PEM certificate in ${key}\n`,
  ]);
});
