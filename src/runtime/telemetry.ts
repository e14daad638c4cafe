import { LogFormatter, Logger, LogItem } from '@aws-lambda-powertools/logger';
import { MetricUnit, Metrics as PowertoolsMetrics } from '@aws-lambda-powertools/metrics';
import type { Log, Metrics } from '../ports/system.ts';
import { scrub } from './scrub.ts';

type Keys = Readonly<Record<string, unknown>>;
type Print = (line: string) => void;

/** What one function tells about itself: log lines in JSON, metrics in CloudWatch's EMF. */
export interface Telemetry {
  readonly log: Log;
  readonly metrics: Metrics;
  /** Puts these keys on every line until the next flush. */
  annotate(keys: Keys): void;
  /** Ends an invocation: prints what was counted and forgets the annotations. */
  flush(): void;
}

class LineFormatter extends LogFormatter {
  override formatAttributes(
    ...[base, extra]: Parameters<LogFormatter['formatAttributes']>
  ): LogItem {
    const { logLevel, message, timestamp, serviceName } = base;
    const attributes = {
      level: logLevel,
      message,
      timestamp: timestamp.toISOString(),
      function: serviceName,
    };
    return new LogItem({ attributes }).addAttributes(extra);
  }
}

/** Name and message only: a stack says little once bundled, and properties may hold anything. */
const withoutErrorInternals = (_key: string, value: unknown): unknown =>
  value instanceof Error ? { name: value.name, message: value.message } : value;

const createLogger = (name: string, print: Print): Logger => {
  // A closure, not a field: the base class may print while it is being constructed.
  class LineLogger extends Logger {
    protected override printLog(_level: number, item: LogItem): void {
      item.prepareForPrint();
      print(JSON.stringify(item.getAttributes(), this.getJsonReplacer()));
    }
  }
  // Everything given here, and nothing left to the variables of the process: several functions may
  // share one.
  return new LineLogger({
    serviceName: name,
    logLevel: 'INFO',
    sampleRateValue: 0,
    logFormatter: new LineFormatter(),
    jsonReplacerFn: withoutErrorInternals,
  });
};

const toStdout: Print = (line) => {
  process.stdout.write(`${line}\n`);
};

/**
 * Powertools logger and metrics for one function. Every line goes through `log`, or to stdout past
 * the console that Lambda patches, and is searched for secrets on the way.
 */
export const createTelemetry = (options: {
  readonly function: string;
  readonly cluster?: string | undefined;
  readonly log?: Print | undefined;
}): Telemetry => {
  const out = options.log ?? toStdout;
  const print: Print = (line) => out(scrub(line));
  const logger = createLogger(options.function, print);
  const metrics = new PowertoolsMetrics({
    namespace: 'ebs-failover',
    serviceName: options.function,
    logger,
    ...(options.cluster !== undefined && { defaultDimensions: { cluster: options.cluster } }),
  });
  // Added up here: at its hundredth value of a name Powertools prints by itself, past `print`.
  const counts = new Map<string, number>();
  return {
    log: {
      info: (message, keys = {}) => logger.info(message, keys),
      warn: (message, keys = {}) => logger.warn(message, keys),
      error: (message, keys = {}) => logger.error(message, keys),
    },
    metrics: {
      count: (name, value = 1) => {
        counts.set(name, (counts.get(name) ?? 0) + value);
      },
    },
    annotate: (keys) => logger.appendKeys(keys),
    flush: () => {
      logger.resetKeys();
      if (counts.size === 0) return;
      for (const [name, sum] of counts) metrics.addMetric(name, MetricUnit.Count, sum);
      counts.clear();
      print(JSON.stringify(metrics.serializeMetrics()));
      metrics.clearMetrics();
    },
  };
};
