/** The answer to a question about what is not there. */
export const refused = (says: string) => ({ kind: 'refused' as const, says });
