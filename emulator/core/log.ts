/** More than any scene or simulation writes; a cloud that stays up for days would exceed it. */
const LOG_LINES_MAX = 100_000;

/** Appends in place; the oldest tenth is forgotten when `most` lines are exceeded. */
export const append = <Line>(log: Line[], line: Line, most = LOG_LINES_MAX): void => {
  log.push(line);
  if (log.length > most) log.splice(0, Math.ceil(most / 10));
};
