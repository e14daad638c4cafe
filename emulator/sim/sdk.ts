/**
 * What the functions speak to AWS with: the SDK that ships, or its equal without the middlewares,
 * at a tenth of the cost.
 */
export const sdks = ['lean', 'real'] as const;

export type Sdk = (typeof sdks)[number];
