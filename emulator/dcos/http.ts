import type { WireResponse } from '../core/wire.ts';

export const json = (
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): WireResponse => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});

export const text = (
  status: number,
  body: string,
  headers: Record<string, string> = {},
): WireResponse => ({
  status,
  headers: { 'content-type': 'text/plain; charset=utf-8', ...headers },
  body,
});

/** An error page as nginx draws it. */
export const page = (
  status: number,
  title: string,
  headers: Record<string, string> = {},
): WireResponse => ({
  status,
  headers: { 'content-type': 'text/html; charset=UTF-8', ...headers },
  body: [
    '<html>',
    `<head><title>${status} ${title}</title></head>`,
    '<body>',
    `<center><h1>${status} ${title}</h1></center>`,
    '<hr><center>openresty</center>',
    '</body>',
    '</html>',
    '',
  ].join('\r\n'),
});
