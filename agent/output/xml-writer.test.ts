/** The XML report against nmap's own DTD, through libxml2: valid whatever was found, and saying what was found. */

import { beforeAll, describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { host, HOSTILE, HOSTS, port, PORTS, reportText, RUN, SUMMARY } from "./testing/samples.ts";

const DTD = "/usr/share/nmap/nmap.dtd";

beforeAll(async () => {
  const missing = [
    ...(Bun.which("xmllint") === null ? ["xmllint: apt-get install -y libxml2-utils"] : []),
    ...((await Bun.file(DTD).exists()) ? [] : [`${DTD}: apt-get install -y nmap`]),
  ];
  if (missing.length > 0) throw new Error(`the XML tests need ${missing.join("; ")}`);
});

function xmllint(
  args: readonly string[],
  document: string,
): { readonly output: string; readonly exitCode: number } {
  const { stdout, stderr, exitCode } = Bun.spawnSync(["xmllint", "--nonet", ...args, "-"], {
    stdin: new TextEncoder().encode(document),
  });
  return { output: stdout.toString() + stderr.toString(), exitCode };
}

function expectValid(document: string): void {
  expect(xmllint(["--noout", "--dtdvalid", DTD], document)).toEqual({ output: "", exitCode: 0 });
}

function xpath(document: string, expression: string): string {
  return xmllint(["--xpath", expression], document).output.trim();
}

describe("valid against nmap's DTD", () => {
  test.each([
    ["one of everything", reportText("xml", PORTS, HOSTS)],
    ["nothing found", reportText("xml", [], [])],
    ["a failed scan", reportText("xml", PORTS, [], "none")],
    [
      "an interrupted scan",
      reportText("xml", PORTS, [], { ...SUMMARY, partial: true, ended: "interrupted" }),
    ],
    ["hosts only", reportText("xml", [], HOSTS, SUMMARY, { ...RUN, find: "hosts" })],
  ])("%s", (_case, document) => {
    expectValid(document);
  });

  test("any hostile text, everywhere at once", () => {
    for (const text of HOSTILE) {
      expectValid(
        reportText(
          "xml",
          [
            port({
              banner: text,
              product: text,
              version: text,
              service: text,
              cpe: text,
              macAddress: text,
              macVendor: text,
            }),
          ],
          [host({ hostname: text, reason: text })],
          SUMMARY,
          { ...RUN, commandLine: text },
        ),
      );
    }
  });

  test("any banner at all", () => {
    const banners = fc.sample(fc.string({ unit: "binary", maxLength: 40 }), 500);
    expectValid(
      reportText(
        "xml",
        banners.map((banner, i) => port({ port: i, banner })),
        [],
      ),
    );
  });
});

describe("says", () => {
  const document = reportText("xml", PORTS, HOSTS);

  test.each([
    ["the run", "string(/nmaprun/@args)", RUN.commandLine],
    ["its ports", 'string(//scaninfo[@protocol="tcp"]/@services)', "22,80"],
    ["its UDP ports", 'string(//scaninfo[@protocol="udp"]/@services)', "53"],
    ["how TCP was probed", 'string(//scaninfo[@protocol="tcp"]/@type)', "syn"],
    ["hosts in order", "string(/nmaprun/host[2]/address/@addr)", "10.0.0.2"],
    ["a state", 'string(//host[4]//port[@portid="80"]/state/@state)', "closed"],
    ["its reason", 'string(//host[4]//port[@portid="80"]/state/@reason)', "reset"],
    ["its ttl", 'string(//host[4]//port[@portid="80"]/state/@reason_ttl)', "64"],
    ["nmap's word for silence", 'string(//port[@protocol="udp"]/state/@state)', "open|filtered"],
    ["the hardware address", 'string(//address[@addrtype="mac"]/@addr)', "02:00:00:00:00:01"],
    ["its vendor", 'string(//address[@addrtype="mac"]/@vendor)', "Example Corp"],
    ["the name", "string(//hostname/@name)", "web.example"],
    ["the product", "string(//service/@product)", "OpenSSH"],
    ["a banner", 'string(//script[@id="banner"]/@output)', "SSH-2.0-OpenSSH_9.2"],
    ["IPv6 as such", 'string(//address[@addr="2001:db8::1"]/@addrtype)', "ipv6"],
    [
      "a host not to be believed",
      'string(//hostscript/script[@id="answers-on-every-port"]/../../address/@addr)',
      "10.0.0.3",
    ],
    ["its open ports as a number", "string(//extraports/@count)", "1"],
    ["how many are up", "string(//runstats/hosts/@up)", "4"],
    ["how many are not", "string(//runstats/hosts/@down)", "1"],
    ["that it went well", "string(//finished/@exit)", "success"],
  ])("%s", (_what, expression, value) => {
    expect(xpath(document, expression)).toBe(value);
  });

  test("that it failed, where it did", () => {
    expect(xpath(reportText("xml", PORTS, [], "none"), "string(//finished/@exit)")).toBe("error");
  });

  test("that connections were made, where they were", () => {
    const text = reportText("xml", PORTS, [], { ...SUMMARY, link: "connect" });
    expect(xpath(text, "string(//scaninfo/@type)")).toBe("connect");
  });
});
