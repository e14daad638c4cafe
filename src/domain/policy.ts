/** What an operator decided once for the whole deployment. Durations in milliseconds. */
export interface Policy {
  /** How long EC2 must have called an instance impaired before it may be fenced. */
  readonly impairedGraceMs: number;
  /** `at-once` is one person's wish for one machine, never the deployment's. */
  readonly fenceTerminate: 'never' | 'when-stop-impossible' | 'at-once';
  /** What a stop that needed Force leads to: EC2 documents rare writes after it. */
  readonly weakFence: 'hold' | 'settle';
  readonly weakFenceSettleMs: number;
  readonly forceDetach: 'never' | 'after-proof';
  /** After this, one stuck volume no longer holds back the others. */
  readonly partialDeadlineMs: number;
  readonly rexrayPreempt: 'off' | 'on';
  /** What is done to an agent that Mesos has lost and EC2 finds well. */
  readonly partitionedAgent: 'ask' | 'fence';
  /** How long it must have been lost, by our own looks. */
  readonly partitionedGraceMs: number;
  /** More agents that Mesos has lost and EC2 finds well say something about Mesos. */
  readonly blindLimit: number;
  readonly blindLimitPercent: number;
  /** So many machines of one zone that are not down may be fenced within the window. */
  readonly stormLimit: number;
  /** Of the cluster's agents; the smaller of the two limits counts, but one is always let through. */
  readonly stormLimitPercent: number;
  readonly stormWindowMs: number;
  /** A storm is over when nothing more came for this long. */
  readonly stormCoolDownMs: number;
  /** Neither an agent nor an app is failed over twice within this; 0: it may be. */
  readonly blockPeriodMs: number;
  /** What a failover needs: so long before AWS takes a machine down a planned move becomes one. */
  readonly drainReserveMs: number;
}

/** Named limits that no operator needs to turn. Milliseconds. */
export const limits = {
  /** A stop that someone else began may finish in its own way for this long. */
  foreignStopBudgetMs: 60_000,
  /** After this a SkipOsShutdown stop gets Force as well. */
  skipStopBudgetMs: 90_000,
  /** AWS's own advice after ten minutes of `stopping` is to call support: hold and page. */
  fenceStuckMs: 600_000,
  /** Never more than one repeated power command per this time (L9). */
  powerRepeatMs: 300_000,
  /** A power command that met the wrong state, or whose answer was lost, is sent again after this. */
  powerRetryMs: 10_000,
  /** A detach gets one non-force repeat after this. */
  detachRepeatMs: 60_000,
  /** Then, and only by policy, Force once. */
  detachForceMs: 120_000,
  /** Then the volume is held. */
  detachStuckMs: 180_000,
  /** Mesos says "in transition" for ever on some builds: then Marathon is told instead. */
  transitionMs: 60_000,
  /** A soft signal alone is watched for this long, then the incident is cancelled. */
  watchMs: 300_000,
  /** An app without health checks counts as healthy after this long RUNNING with its volume. */
  runningIsHealthyMs: 10_000,
  /** Recovery not seen for this long is a hold. */
  recoveryMs: 600_000,
  /** DC/OS gives up on a silent agent after this; some builds lose the update then. */
  agentLossMs: 240_000,
  /** What is announced is read again after this. */
  announcedLookMs: 5_000,
  /** A lifecycle hook is kept waiting for this long, then the machine is failed over. */
  leavingMs: 900_000,
  /** A lifecycle hook is asked for more time this often; the shortest one waits 30 seconds. */
  heartbeatMs: 20_000,
  /** A task that does not end, or a volume that does not come free, for so long beyond its grace. */
  drainStuckMs: 180_000,
  /** Who has taken details to tell and not said by then what became of them is dead: notify's timeout. */
  detailLeaseMs: 60_000,
} as const;
