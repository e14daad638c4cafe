import type { AwsEvent } from '../../core/aws-event.ts';
import { createEventFactory } from '../../core/aws-event.ts';
import type { Rng } from '../../core/random.ts';
import type { Time } from '../../core/time.ts';

/** Something AWS Health knows, as it tells the account (AWS Health event schema). */
export interface HealthNews {
  /** `EC2`, `EBS`, ... */
  service: string;
  /** `AWS_EC2_INSTANCE_STOP_SCHEDULED`. */
  eventTypeCode: string;
  category: 'issue' | 'accountNotification' | 'investigation' | 'scheduledChange';
  statusCode: 'open' | 'upcoming' | 'closed';
  /** Epoch ms; of a scheduled change usually in the future. */
  startTime: number;
  endTime?: number;
  /** Bare ids. A public event has none. */
  entities: readonly string[];
  entityStatus?: 'IMPAIRED' | 'UNIMPAIRED' | 'PENDING' | 'RESOLVED' | 'UNKNOWN';
  /** Entities as ARNs, and no `resources` at all: some samples in AWS's documentation do so. */
  asArns?: boolean;
  scope?: 'ACCOUNT_SPECIFIC' | 'PUBLIC';
  description?: string;
  actionability?: 'ACTION_REQUIRED' | 'ACTION_MAY_BE_REQUIRED' | 'INFORMATIONAL';
  /** Where it happens. Default: here. */
  region?: string;
  /** Entities of one page; more are told in several events. */
  perPage?: number;
}

/** What an update may change; the rest stays as it was told. */
export type HealthUpdate = Partial<
  Pick<
    HealthNews,
    'statusCode' | 'endTime' | 'startTime' | 'entities' | 'entityStatus' | 'description'
  >
>;

export interface Health {
  /** Tells the account of it; answers the `eventArn`. */
  announce(news: HealthNews): string;
  /**
   * The same event again with what has changed, under a new communicationId.
   * @throws RangeError for an eventArn that was never announced
   */
  update(eventArn: string, change: HealthUpdate): void;
}

/** Above 256 KB an event is split; so many instance ids come close to that. */
const PER_PAGE = 2000;

/** Account-specific events are delivered there too, whatever the rules say. */
const backupOf = (region: string): string => (region === 'us-west-2' ? 'us-east-1' : 'us-west-2');

const pagesOf = ({ entities, perPage = PER_PAGE }: HealthNews): string[][] => {
  const pages: string[][] = [];
  for (let from = 0; from < entities.length || from === 0; from += perPage) {
    pages.push(entities.slice(from, from + perPage));
  }
  return pages;
};

/** `Sun, 22 Nov 2026 13:19:03 GMT`: Health's dates are RFC 1123, unlike all others. */
const healthDate = (epochMs: number): string => new Date(epochMs).toUTCString();

/**
 * AWS Health on the default bus of this region: account-specific events of this region, and the
 * backup copies of those whose backup region this one is; public ones of this region only.
 */
export const createHealth = (deps: {
  time: Time;
  rng: Rng;
  account: string;
  region: string;
  emit: (event: AwsEvent) => void;
}): Health => {
  const { time, rng, account, region, emit } = deps;
  const event = createEventFactory({ ...deps, rng: rng.fork('health-event-ids') });
  const ids = rng.fork('health-ids');
  const known = new Map<string, HealthNews>();

  const arnOf = (entity: string): string => {
    const kind = entity.startsWith('vol-') ? 'volume' : 'instance';
    return `arn:aws:ec2:${region}:${account}:${kind}/${entity}`;
  };

  const detailOf = (eventArn: string, news: HealthNews, communicationId: string) => {
    const { scope = 'ACCOUNT_SPECIFIC', region: eventRegion = region } = news;
    return {
      eventArn,
      service: news.service,
      eventTypeCode: news.eventTypeCode,
      eventTypeCategory: news.category,
      eventScopeCode: scope,
      communicationId,
      startTime: healthDate(news.startTime),
      ...(news.endTime === undefined ? {} : { endTime: healthDate(news.endTime) }),
      lastUpdatedTime: healthDate(time.now()),
      statusCode: news.statusCode,
      eventRegion,
      eventDescription: [
        { language: 'en_US', latestDescription: news.description ?? news.eventTypeCode },
      ],
    };
  };

  const entityOf = (entity: string, { asArns, entityStatus }: HealthNews) => ({
    entityValue: asArns ? arnOf(entity) : entity,
    ...(entityStatus === undefined
      ? {}
      : { lastUpdatedTime: healthDate(time.now()), status: entityStatus }),
  });

  const tell = (eventArn: string, news: HealthNews, backupEvent: boolean): void => {
    const communication = ids.hex(24);
    const pages = pagesOf(news);
    for (const [index, entities] of pages.entries()) {
      const page = String(index + 1);
      const told = event({
        source: 'aws.health',
        detailType: 'AWS Health Event',
        resources: [...entities],
        detail: {
          // Whether it differs from page to page the documentation leaves open; here it does.
          ...detailOf(eventArn, news, `${communication}-${page}`),
          affectedEntities: entities.map((entity) => entityOf(entity, news)),
          affectedAccount: account,
          page,
          totalPages: String(pages.length),
          backupEvent: String(backupEvent),
          personas: ['OPERATIONS'],
          ...(news.actionability === undefined ? {} : { actionability: news.actionability }),
        },
      });
      if (news.asArns) Reflect.deleteProperty(told, 'resources');
      emit(told);
    }
  };

  const publish = (eventArn: string, news: HealthNews): void => {
    const { scope = 'ACCOUNT_SPECIFIC', region: eventRegion = region } = news;
    known.set(eventArn, news);
    if (eventRegion === region) tell(eventArn, news, false);
    else if (scope === 'ACCOUNT_SPECIFIC' && backupOf(eventRegion) === region) {
      tell(eventArn, news, true);
    }
  };

  return {
    announce(news) {
      const { service, eventTypeCode, region: eventRegion = region } = news;
      const number = String(ids.int(1, 9)) + String(ids.int(0, 999_999_999)).padStart(9, '0');
      const name = `${service}/${eventTypeCode}/${eventTypeCode}_${number}`;
      const eventArn = `arn:aws:health:${eventRegion}::event/${name}`;
      publish(eventArn, news);
      return eventArn;
    },
    update(eventArn, change) {
      const news = known.get(eventArn);
      if (news === undefined) throw new RangeError(`no event ${eventArn} was announced`);
      publish(eventArn, { ...news, ...change });
    },
  };
};
