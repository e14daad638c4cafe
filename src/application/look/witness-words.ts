import { type Evidence, sayMesos } from '../../domain/verdict.ts';

const sayEc2 = ({ ec2 }: Evidence): string => {
  switch (ec2.kind) {
    case 'seen': {
      const { launchTime, state, stateReasonCode } = ec2.instance;
      const reason = stateReasonCode === undefined ? '' : ` (${stateReasonCode})`;
      return `${state}${reason}, started ${launchTime}`;
    }
    case 'unknown-instance':
      return 'EC2 does not know it, which proves nothing';
    case 'unreadable':
      return `EC2 cannot be read: ${ec2.why}`;
  }
};

const sayChecks = ({ at, checks }: Evidence): string => {
  if (checks.kind === 'none') return 'EC2 reports none';
  if (checks.kind === 'unreadable') return `cannot be read: ${checks.why}`;
  const { attachedEbs, impairedSince, instance, system } = checks.checks;
  const since =
    impairedSince === undefined
      ? ''
      : `, impaired for ${Math.round((at - impairedSince) / 1000)} s`;
  return `system ${system}, instance ${instance}, attached EBS ${attachedEbs}${since}`;
};

const sayMasters = ({ masters }: Evidence): string | undefined => {
  if (masters === undefined) return undefined;
  return masters.kind === 'counted'
    ? `${masters.missing} of ${masters.known} agents are missing that EC2 finds well`
    : `many of ${masters.known} agents are missing, and EC2 cannot say whether they are well`;
};

/** What each witness says, in words. Pure. */
export const witnessesOf = (evidence: Evidence) => {
  const masters = sayMasters(evidence);
  return {
    ec2: sayEc2(evidence),
    checks: sayChecks(evidence),
    mesos: sayMesos(evidence.mesos),
    ...(masters === undefined ? {} : { masters }),
  };
};
