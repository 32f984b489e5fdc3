/** The packet templates of a scan, numbered so that a slot can remember which of them it holds. Built when first used. */

import { buildEchoTemplate } from "../packet/echo.ts";
import { payload } from "../packet/payloads.ts";
import { ICMP_ECHO, TCP_ACK, TCP_SYN, UDP } from "../packet/probe-kind.ts";
import { buildTcpTemplate } from "../packet/tcp.ts";
import type { PacketTemplate } from "../packet/template.ts";
import { buildUdpTemplate } from "../packet/udp.ts";
import type { AddressFamily } from "../targets/address-words.ts";

/** Eight numbers a payload: three bits for the family and the kind. Only UDP has more than one payload. */
const KIND_BITS = 2;
const FAMILY_BIT = 1 << KIND_BITS;
const PAYLOAD_SHIFT = KIND_BITS + 1;

/** What a prober needs of a template for each packet; a class so that every one has the same shape. */
export class NumberedTemplate {
  readonly packet: Uint8Array;
  readonly lengthBytes: number;
  readonly ipSum: number;
  readonly transportSum: number;
  readonly cookieAt: number;
  readonly cookieBytes: number;

  constructor({ packet, ipSum, transportSum }: PacketTemplate, cookieAt: number, cookieBytes: number) {
    this.packet = packet;
    this.lengthBytes = packet.length;
    this.ipSum = ipSum;
    this.transportSum = transportSum;
    this.cookieAt = cookieAt;
    this.cookieBytes = cookieBytes;
  }
}

/** @param payloadNumber in the payload catalogue, for UDP; else 0 */
export function templateNumber(family: AddressFamily, kind: number, payloadNumber: number): number {
  return (payloadNumber << PAYLOAD_SHIFT) | (family === 6 ? FAMILY_BIT : 0) | kind;
}

export class TemplateSet {
  private readonly templates: (NumberedTemplate | undefined)[] = [];

  get(number: number): NumberedTemplate {
    return this.templates[number] ?? this.build(number);
  }

  private build(number: number): NumberedTemplate {
    const family = (number & FAMILY_BIT) === 0 ? 4 : 6;
    const kind = number & (FAMILY_BIT - 1);
    const template = newTemplate(family, kind, number >>> PAYLOAD_SHIFT);
    // Places that are left out would turn the list into a slower one.
    while (this.templates.length < number) this.templates.push(undefined);
    this.templates[number] = template;
    return template;
  }
}

function newTemplate(family: AddressFamily, kind: number, payloadNumber: number): NumberedTemplate {
  switch (kind) {
    case TCP_SYN:
    case TCP_ACK:
      return new NumberedTemplate(buildTcpTemplate(family, kind), 0, 0);
    case UDP: {
      const content = payload(payloadNumber);
      return new NumberedTemplate(buildUdpTemplate(family, content), content.cookieAt, content.cookieBytes);
    }
    case ICMP_ECHO:
      return new NumberedTemplate(buildEchoTemplate(family), 0, 0);
    default:
      throw new RangeError(`${kind} is no kind of probe`);
  }
}
