import { describe, expect, it } from 'vitest';
import { html } from '../../../cli/report/html.ts';

describe('markup', () => {
  it('takes text as text, in an element and in an attribute', () => {
    const evil = `"><script>alert('x')</script>&amp;`;
    expect(html`<p title="${evil}">${evil}</p>`.markup).toBe(
      '<p title="&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;amp;">' +
        '&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;amp;</p>',
    );
  });

  it('takes what it made itself as it is, alone and in lists', () => {
    const items = ['a<', 'b'].map((one) => html`<li>${one}</li>`);
    expect(html`<ul>${items}${html`<hr>`}</ul>`.markup).toBe(
      '<ul><li>a&lt;</li><li>b</li><hr></ul>',
    );
  });

  it('leaves out what is not there, and writes a zero', () => {
    expect(html`${undefined}${false}${0}${[]}${''}`.markup).toBe('0');
  });

  it('is not fooled by an object that looks like it', () => {
    const forged = JSON.parse('{"markup":"<script>"}');
    expect(() => html`${forged}`).toThrow(TypeError);
  });
});
