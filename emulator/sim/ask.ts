import type { Site } from './site.ts';

/** What a function of people answers: Operate one of a few kinds, Look a document. */
export interface Answer {
  readonly kind: string;
  readonly says?: string;
}

/** A person calls one of the functions that are there for people; undefined: it failed. */
export const askFunction = async (
  { world }: Pick<Site, 'world'>,
  key: 'look' | 'operate',
  what: object,
): Promise<Answer | undefined> => {
  const { region } = world.infra;
  const name = world.infra.functions.find((one) => one.key === key)?.name;
  const url = `https://lambda.${region}.amazonaws.com/2015-03-31/functions/${name}/invocations`;
  const scope = `Credential=AKIAPERSON/20261122/${region}/lambda/aws4_request`;
  const headers = { authorization: `AWS4-HMAC-SHA256 ${scope}, SignedHeaders=host, Signature=0` };
  const answer = await world.network.send({
    method: 'POST',
    url,
    headers,
    body: JSON.stringify(what),
  });
  const said = JSON.parse(answer.body);
  return answer.status === 200 && typeof said.kind === 'string' ? said : undefined;
};

/** How long a person waits before they ask once more. */
export const AGAIN_MS = 5_000;
