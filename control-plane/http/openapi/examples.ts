/** Examples for people who read the document, by the name of their schema. A test checks each against it. */

const ADDRESSES = ["192.0.2.7", "192.0.2.9"];
const LEASE = "5f0c6a52-3b0e-4c0a-9a51-0d7c3a2b1e4f";
const OPEN_PORT = {
  address: "10.0.0.7",
  port: 22,
  protocol: "tcp",
  state: "open",
  reason: "syn-ack",
  ttl: 64,
  service: "ssh",
  banner: "SSH-2.0-OpenSSH_9.2p1",
  observedAt: "2026-01-27T10:30:00Z",
};

export const EXAMPLES: Readonly<Record<string, readonly unknown[]>> = {
  ErrorBody: [{ error: { code: "NOT_FOUND", message: "there is no scan 7" } }],

  RegisterRequest: [
    {
      token: "ptl_prov_…",
      installId: "5f0c6a52-3b0e-4c0a-9a51-0d7c3a2b1e4f",
      hostname: "edge",
      capabilities: ["syn"],
    },
  ],
  HeartbeatRequest: [{ version: "0.1.0", hostname: "edge", metrics: { loadAvg1m: 0.4, numCpus: 8 } }],
  JobResultsRequest: [{ leaseId: LEASE, batch: 1, results: [OPEN_PORT] }],
  LegacyResultsRequest: [{ scanId: 1, results: [OPEN_PORT] }],

  ScannerCreateRequest: [{ name: "edge-1", description: "Rack 4", rateLimit: 5000, bindingMode: "ip" }],
  ScannerUpdateRequest: [{ description: "Rack 5", rateLimit: 0 }],
  BindingUpdateRequest: [{ bindingMode: "subnet", bindingValue: "192.0.2.0/24" }],
  EnrolmentTokenCreateRequest: [{ name: "branch-offices", maxUses: 20 }],
  OperatorTokenCreateRequest: [{ name: "reports", role: "viewer" }],
  SettingsUpdateRequest: [{ publicUrl: "https://portolan.example" }],

  SubnetRequest: [
    { name: "Office", cidr: "10.0.0.0/24", exclusions: ["10.0.0.1"], rateLimit: 1000, scannerIds: [1] },
  ],
  SubnetPatch: [{ rateLimit: 500 }],
  PortListRequest: [{ name: "Web", spec: "80,443,8000-8999,!8443" }],
  PortListPatch: [{ spec: "80,443,U:443" }],
  ScannerGroupRequest: [{ name: "Three views", scannerIds: [1] }],
  DiscoveryListRequest: [{ name: "cloud-hosts", scannerIds: [1] }],
  DiscoveryListEnsure: [{ name: "cloud-hosts" }],
  DiscoveryPush: [{ ips: ADDRESSES }],
  ScanTemplateRequest: [{ name: "Nightly", subnetIds: [1], portListIds: [1], serviceDetection: true }],
  ExpectedResultsRequest: [{ results: [{ address: "10.0.0.7", protocol: "tcp", port: 443, state: "open" }] }],
  NetworkRequest: [
    {
      name: "Production",
      cidr: "10.1.0.0/16",
      port_spec: "22,80-443",
      scanner_type: "masscan",
      scan_timeout: 7200,
    },
  ],
  NetworkPatch: [{ scanner_type: "nmap" }],

  ScanCreateRequest: [
    {
      scannerIds: [1],
      targets: ["10.0.0.0/24"],
      exclude: ["10.0.0.1"],
      ports: "22,80-443",
      maxProbesPerSecond: 1000,
    },
  ],
  JobReassignRequest: [{ scannerId: 1 }],
  JobFailRequest: [{ reason: "the host is gone" }],
};
