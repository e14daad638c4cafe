import { Argument, type Command } from 'commander';
import { incident, instanceId, volumeId } from '../arguments.ts';
import { type Context, look, lookAtIncident, show } from '../context.ts';
import { showExplanation, showHistory, showIncidents } from '../views/explanation.ts';
import { showIncident } from '../views/incident.ts';
import { showStatus } from '../views/status.ts';

type Act = (context: Context, ...given: never[]) => Promise<void>;
/** Defines a command: common options, the context, its action. */
export type Define = <Run extends Act>(name: string, says: string, run: Run) => Command;

export const incidentArgument = () =>
  new Argument('<incident>', 'its id, or that of its instance').argParser(incident);
export const instanceArgument = () =>
  new Argument('<instance>', 'id of the EC2 instance').argParser(instanceId);

/** The commands that only look. */
export const defineReading = (define: Define): void => {
  define('status', 'the cluster at a glance', async (context: Context) => {
    show(context, await look(context, { view: 'status' }, 'status'), showStatus);
  });

  define('incidents', 'open incidents', async (context: Context, options: { all?: boolean }) => {
    const request = { view: 'incidents', all: options.all ?? false } as const;
    show(context, await look(context, request, 'incidents'), showIncidents);
  }).option('--all', 'those that are over too');

  define(
    'show',
    'one incident: evidence, phases, timeline with every call',
    async (context: Context, named: ReturnType<typeof incident>) => {
      show(context, await lookAtIncident(context, named), showIncident);
    },
  ).addArgument(incidentArgument());

  define(
    'explain',
    'why an instance is, or is not, acted upon now',
    async (context: Context, id: ReturnType<typeof instanceId>) => {
      const request = { view: 'explain', instanceId: id } as const;
      show(context, await look(context, request, 'explain'), showExplanation);
    },
  ).addArgument(instanceArgument());

  define(
    'history',
    'the epochs of a volume',
    async (context: Context, id: ReturnType<typeof volumeId>) => {
      const request = { view: 'history', volumeId: id } as const;
      show(context, await look(context, request, 'history'), showHistory);
    },
  ).addArgument(new Argument('<volume>', 'id of the EBS volume').argParser(volumeId));
};
