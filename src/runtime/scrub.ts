const secrets: readonly RegExp[] = [
  // Slack: bot and user tokens, incoming webhooks.
  /\bxox[a-z]-[\w-]+/g,
  /hooks\.slack\.com\/[\w/-]+/g,
  // JSON web tokens, which is what DC/OS authentication tokens are.
  /\beyJ[\w-]+\.[\w-]+\.[\w-]*/g,
  /(?<=\b(?:token|bearer)[=\s])[\w.+/=-]{16,}/gi,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  // Credentials in a URL.
  /(?<=:\/\/)[^\s/@"]+:[^\s/@"]+(?=@)/g,
];

/**
 * Takes out what looks like a secret. The last net, not the first: nothing of ours logs one, but
 * the message of someone else's error may quote a header or a URL.
 */
export const scrub = (line: string): string =>
  secrets.reduce((text, secret) => text.replace(secret, '[secret]'), line);
