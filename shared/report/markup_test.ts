import assert from 'node:assert/strict';
import { test } from 'node:test';
import { escapeText, markup } from './markup.ts';

test('markup() escapes text, wherever it is put', () => {
  const name = `<script>"&'`;
  assert.equal(
    markup`<a title="${name}">${name}</a>`.markup,
    '<a title="&#60;script&#62;&#34;&#38;&#39;">&#60;script&#62;&#34;&#38;&#39;</a>',
  );
});

test('markup() keeps markup, joins lists, rounds numbers and leaves out what is not there', () => {
  const rows = ['a', 'b'].map((name) => markup`<li>${name}</li>`);
  assert.equal(
    markup`<ul x="${1 / 3}">${rows}${undefined}${false}${0}</ul>`.markup,
    '<ul x="0.33"><li>a</li><li>b</li>0</ul>',
  );
});

test('escapeText() leaves other text alone', () => {
  assert.equal(escapeText('größer – 3 µm'), 'größer – 3 µm');
});
