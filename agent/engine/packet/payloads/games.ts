/** Requests to game servers, each asking for the server's description. */

import { bytesOf, plain, repeats32, u32, type UdpPayload, withCookie, zeros } from "./payload.ts";

const OUT_OF_BAND = u32(0xffff_ffff);

/** RakNet: how a message outside of any connection is told. */
const RAKNET_MAGIC = [
  0, 0xff, 0xff, 0, 0xfe, 0xfe, 0xfe, 0xfe, 0xfd, 0xfd, 0xfd, 0xfd, 0x12, 0x34, 0x56, 0x78,
];

export const gamePayloads = (): readonly UdpPayload[] => [
  // Valve Developer Community, "Server queries": A2S_INFO.
  plain("source-info", [27_015], bytesOf(OUT_OF_BAND, "TSource Engine Query\0")),
  // id Software, Quake III Arena server source (SV_Info): the challenge is any text.
  plain("quake3-info", [27_960], bytesOf(OUT_OF_BAND, "getinfo portolan\0")),
  // RakNet unconnected ping, as Minecraft Bedrock answers it; the sender's time comes back.
  withCookie("raknet-ping", [19_132], bytesOf(1, zeros(8), RAKNET_MAGIC, zeros(8)), 2, 4, repeats32(2)),
];
