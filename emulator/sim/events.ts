/** Who made a request: one invocation of one function. `wire` is its line in the call log. */
export interface By {
  invocationId: string;
  functionName: string;
  /** How far its own clock is off, ms: what it writes down is off by as much. */
  clockOffMs?: number;
  /** Epoch ms: sent, and answered once it was. */
  wire: { readonly at: number; readonly answeredAt?: number };
}

export interface SeenInstance {
  instanceId: string;
  state: string;
  /** Epoch ms. */
  launchTime: number;
}

export interface SeenVolume {
  volumeId: string;
  state: string;
  holders: readonly string[];
}

export interface Holder {
  instanceId: string;
  state: string;
  deleteOnTermination: boolean;
}

/** EC2 or Auto Scaling says of a machine that it will be taken down, and EC2 when. */
export interface Foretold {
  instanceId: string;
  /** Epoch ms; absent: it is on its way already, and nothing takes that back. */
  notBefore?: number;
}

type Fact =
  /** The machine as it is, whatever any answer says. */
  | {
      kind: 'machine';
      instanceId: string;
      state: string;
      powered: boolean;
      /** Running, powered and with its kernel up. */
      well: boolean;
      launchTime: number;
      /** Carries the cluster's tag and the agents'. */
      ours: boolean;
      zone?: string;
    }
  /** What an operator has set for the deployment, before anything happens. */
  | { kind: 'policy'; parameters: Readonly<Record<string, string>> }
  | {
      kind: 'volume';
      volumeId: string;
      state: string;
      /** Carries the cluster's tag and is nobody's root. */
      ours: boolean;
      holders: readonly Holder[];
    }
  /** `listed`: registered and connected, so that the master can tell that it is there. */
  | { kind: 'agent'; agentId: string; instanceId: string; listed: boolean }
  | { kind: 'execution'; arn: string; running: boolean }
  /** Rows in all that landed on a volume which was not the writer's alone. */
  | { kind: 'foreign'; volumeId: string; rows: number };

type Request =
  | {
      kind: 'read';
      by: By;
      of: 'instances' | 'checks' | 'volumes' | 'agents' | 'conditions' | 'ledger' | 'plans';
      instances?: readonly SeenInstance[];
      volumes?: readonly SeenVolume[];
      consistent?: boolean;
      /** Checks: EC2 calls what was asked about impaired. */
      impaired?: boolean;
      /** Conditions: EC2 knows no volume of this id. */
      unknown?: string;
      /** What AWS is about to do to machines, as it was served. */
      foretold?: readonly Foretold[];
    }
  | {
      kind: 'mutation';
      by: By;
      /** As the audit names it: `StopInstances`, `DELETE /v2/queue/delay`. */
      call: string;
      targets: readonly string[];
      params: Readonly<Record<string, string>>;
      accepted: boolean;
    }
  /** An item as it is after an accepted write; without `item` it is gone. */
  | {
      kind: 'ledger';
      by: By;
      pk: string;
      sk: string;
      item?: Readonly<Record<string, unknown>>;
    };

/** News of an incident that the bus has taken. */
type News = {
  kind: 'news';
  by: By;
  phase: string;
  incidentId: string;
  /** What it is held for, if it is. */
  holdReason?: string;
};

/** What a person was answered who said yes to a question. */
type Consent = {
  kind: 'consent';
  incidentId: string;
  approvalId: string;
  /** Epoch ms. */
  sentAt: number;
  /** As Operate says it: `done`, `unchanged`, `refused`. */
  answer: string;
};

type Told =
  /** Text that leaves the service: a log line, an event, an execution's history, a ledger item. */
  { kind: 'said'; where: string; text: string };

/** One thing the simulator saw happen. `at` is epoch ms of virtual time. */
export type SimEvent = { readonly at: number } & Readonly<Consent | Fact | News | Request | Told>;

export type EventOf<Kind extends SimEvent['kind']> = Extract<SimEvent, { kind: Kind }>;
