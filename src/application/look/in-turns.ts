/** Reads of the ledger under way at a time: a large cluster is no reason to be throttled. */
const atOnce = 50;

/** Every item read, so many at a time; the answers in the order of the items. */
export const inTurns = async <Item, Answer>(
  items: readonly Item[],
  read: (item: Item) => Promise<Answer>,
): Promise<readonly Answer[]> => {
  const answers: Answer[] = [];
  for (let from = 0; from < items.length; from += atOnce) {
    answers.push(...(await Promise.all(items.slice(from, from + atOnce).map(read))));
  }
  return answers;
};
