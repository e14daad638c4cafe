import { describe, expect, it } from 'vitest';
import { deafAlarms, metricsOf, unwatched } from '../support/alarms.ts';
import { projectFiles } from '../support/project-files.ts';
import { ofType, type Template } from '../support/template.ts';

const files = projectFiles();

/** What the alarms of a packaged template must be; `get` answers it once it is there. */
export const alarmsSuite = (get: () => Template): void => {
  const alarm = (id: string): Record<string, unknown> => get().Resources[id]?.Properties ?? {};
  const alarms = () => ofType(get(), 'AWS::CloudWatch::Alarm').map(([id]) => id);

  /** The template with something of one alarm put otherwise. */
  const planted = (id: string, from: string, to: string): Template => {
    const properties = JSON.stringify(alarm(id)).replaceAll(from, to);
    expect(properties).not.toBe(JSON.stringify(alarm(id)));
    const changed = { Type: 'AWS::CloudWatch::Alarm', Properties: JSON.parse(properties) };
    return { ...get(), Resources: { ...get().Resources, [id]: changed } };
  };

  describe('the alarms of the packaged template', () => {
    it('look at metrics that are really emitted, and at nothing else', () => {
      expect(alarms().length).toBeGreaterThanOrEqual(11);
      expect(deafAlarms(get(), files)).toEqual([]);
    });

    it.each([
      ['a metric of ours that nothing counts', 'MissedEventAlarm', 'FailureFoundBySweep', 'Missed'],
      ['a function that counts no such thing', 'NewsAlarm', '"Intake"', '"Notify"'],
      ['a function that is not there', 'NewsAlarm', '"Intake"', '"Intaker"'],
      ['another cluster than the own', 'NewsAlarm', '"Ref":"ClusterName"', '"Ref":"AgentTag"'],
      ['a metric AWS does not have', 'WorkflowFailedAlarm', 'ExecutionsFailed', 'ExecutionsBroken'],
      [
        'a function that is not deployed',
        'SweepSilentAlarm',
        'SweepLambdaFunction',
        'SweeperLambda',
      ],
      ['a queue by its ARN', 'LostSignalAlarm', 'QueueName"]', 'Arn"]'],
      ['a dimension AWS does not have', 'LostSignalAlarm', '"Name":"QueueName"', '"Name":"Queue"'],
      ['a name of the expression that is nothing', 'ParkedNoticeAlarm', '"underWay"', '"onItsWay"'],
    ])('would be refused for %s', (_, id, from, to) => {
      expect(deafAlarms(planted(id, from, to), files)).not.toEqual([]);
    });

    it('leave no queue, no workflow and no scheduled function unwatched', () => {
      expect(unwatched(get())).toEqual([]);
    });

    it.each(['LostSignalAlarm', 'WorkflowFailedAlarm', 'SweepSilentAlarm'])(
      'would miss %s if it were gone',
      (id) => {
        const { [id]: _gone, ...Resources } = get().Resources;
        expect(unwatched({ ...get(), Resources })).not.toEqual([]);
      },
    );

    it('all tell the one topic, the own or the operator’s', () => {
      const topic = {
        'Fn::If': ['HasOwnAlertTopic', { Ref: 'AlarmTopic' }, { Ref: 'AlertTopicArn' }],
      };
      for (const id of alarms()) expect(alarm(id).AlarmActions, id).toEqual([topic]);
      expect(get().Outputs.AlarmTopicArn).toMatchObject({ Value: topic });
    });

    it('take a silent sweep for trouble, and silence of anything else for peace', () => {
      const breaching = alarms().filter((id) => alarm(id).TreatMissingData === 'breaching');
      expect(breaching).toEqual(['SweepSilentAlarm']);
      expect(alarm('SweepSilentAlarm')).toMatchObject({
        ComparisonOperator: 'LessThanThreshold',
        Threshold: 1,
        EvaluationPeriods: 3,
      });
    });

    it('ask for no more metrics at once than CloudWatch allows an alarm', () => {
      for (const id of alarms()) expect(metricsOf(alarm(id)).length, id).toBeLessThanOrEqual(10);
    });
  });
};
