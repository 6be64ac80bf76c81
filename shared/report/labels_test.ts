import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../math/random.ts';
import { placeLabels, shortened, spreadLabels, textWidth } from './labels.ts';

const bounds = { gap: 10, low: 0, high: 100 };

test('spreadLabels() leaves labels alone that have room', () => {
  assert.deepEqual(spreadLabels([80, 20, 50], bounds), [80, 20, 50]);
});

test('spreadLabels() spreads equal wishes around their place', () => {
  assert.deepEqual(spreadLabels([50, 50, 50], bounds), [40, 50, 60]);
});

test('spreadLabels() stays within its bounds', () => {
  assert.deepEqual(spreadLabels([0, 0], bounds), [0, 10]);
  assert.deepEqual(spreadLabels([100, 99], bounds), [100, 90]);
});

test('spreadLabels() keeps order and distance, whatever is wished', () => {
  const random = createRandom('labels');
  for (let trial = 0; trial < 300; trial++) {
    const wishes = Array.from({ length: 1 + random.integer(11) }, () => 100 * random.uniform());
    const places = spreadLabels(wishes, bounds);
    const order = wishes.map((_, i) => i).sort((a, b) => wishes[a]! - wishes[b]!);
    order.forEach((label, i) => {
      assert.ok(places[label]! >= -1e-9 && places[label]! <= 100 + 1e-9, `trial ${trial}: ${places}`);
      if (i > 0) assert.ok(places[label]! - places[order[i - 1]!]! >= 10 - 1e-9, `trial ${trial}: ${places}`);
    });
  }
});

test('placeLabels() puts a lone label beside its mark', () => {
  const [label] = placeLabels([{ x: 50, y: 50, width: 30 }], {
    bounds: { left: 0, right: 200, top: 0, bottom: 100 },
    radius: 5,
  });
  assert.deepEqual(label, { x: 58, y: 50, anchor: 'start', far: false });
});

test('placeLabels() turns to the other side at the border', () => {
  const [label] = placeLabels([{ x: 190, y: 50, width: 30 }], {
    bounds: { left: 0, right: 200, top: 0, bottom: 100 },
    radius: 5,
  });
  assert.equal(label!.anchor, 'end');
});

test('placeLabels() gives up where there is no room', () => {
  const [label] = placeLabels([{ x: 20, y: 20, width: 300 }], {
    bounds: { left: 0, right: 200, top: 0, bottom: 100 },
    radius: 5,
  });
  assert.equal(label, undefined);
});

test('placeLabels() never lets labels overlap', () => {
  const random = createRandom('places');
  const points = Array.from({ length: 25 }, () => ({
    x: 100 + 100 * random.uniform(),
    y: 100 + 60 * random.uniform(),
    width: 60,
  }));
  const labels = placeLabels(points, { bounds: { left: 0, right: 400, top: 0, bottom: 300 }, radius: 5 });
  const boxes = labels.flatMap((label) =>
    label ? [{ left: label.x - 60 * { start: 0, middle: 0.5, end: 1 }[label.anchor], y: label.y }] : [],
  );
  assert.ok(boxes.length >= 15, `${boxes.length} placed`);
  boxes.forEach((a, i) => {
    for (const b of boxes.slice(i + 1)) assert.ok(Math.abs(a.left - b.left) >= 60 || Math.abs(a.y - b.y) >= 12);
  });
});

test('shortened() cuts long text to the width', () => {
  assert.equal(shortened('short', 100), 'short');
  const cut = shortened('a-very-long-name-of-an-arm', 80);
  assert.ok(cut.endsWith('…') && textWidth(cut) <= 80);
});
