import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { quantile } from '../math/quantile.ts';
import { secondsOfFrame, type Timing } from '../text/hypothesis.ts';
import type { Heard } from './listener.ts';

/** When audio came and what was known of it: JSON lines, a chunk each, and a summary of each file. */
export interface TimingLog {
  begin(file: string): void;
  /** @param arrived when the chunk came, by `performance.now()`; it is done now */
  add(heard: Heard, arrived: number, timing: Timing): void;
  end(): void;
  /** @throws what went wrong in writing, then or before */
  close(): Promise<void>;
}

/**
 * Latencies are in seconds of audio: how much was heard beyond the end of a word when it was known to stay. What comes on
 * top of it is the time a chunk takes to work on, `computeSeconds`, and the length of a chunk.
 */
export function createTimingLog(sink: Writable): TimingLog {
  sink.on('error', () => {}); // close() tells of it
  const write = (line: object): void => void sink.write(`${JSON.stringify(line)}\n`);
  let file = '';
  let started = 0;
  let chunks = 0;
  let last: Heard | undefined;
  let latencies: number[] = [];
  let computeSeconds: number[] = [];
  let peakBytes = 0;
  return {
    begin(name) {
      [file, started, chunks, latencies, computeSeconds, peakBytes] = [name, performance.now(), 0, [], [], 0];
    },
    add(heard, arrived, timing) {
      const done = performance.now();
      const { segments, heardSeconds, saidSeconds } = heard;
      for (const { firstFrame, hypotheses, knownAtSeconds } of segments) {
        knownAtSeconds.forEach((known, i) => {
          latencies.push(known - secondsOfFrame(timing, firstFrame + hypotheses[0]!.endFrames[i]!));
        });
      }
      computeSeconds.push((done - arrived) / 1000);
      const residentBytes = process.memoryUsage.rss();
      peakBytes = Math.max(peakBytes, residentBytes);
      last = heard;
      const clock = (at: number): number => rounded((at - started) / 1000);
      write({
        ...{ file, chunk: chunks++, heardSeconds: rounded(heardSeconds), saidSeconds: rounded(saidSeconds) },
        ...{ arrivedSeconds: clock(arrived), doneSeconds: clock(done), residentBytes },
      });
    },
    end() {
      const seconds = (performance.now() - started) / 1000;
      const heardSeconds = last?.heardSeconds ?? 0;
      write({
        ...{ file, summary: true, chunks, words: latencies.length },
        ...{ audioSeconds: rounded(heardSeconds), seconds: rounded(seconds) },
        realTimeFactor: heardSeconds > 0 ? rounded(seconds / heardSeconds) : null,
        wordLatencySeconds: spread(latencies),
        computeSeconds: spread(computeSeconds),
        peakResidentBytes: peakBytes,
      });
    },
    close() {
      sink.end();
      return finished(sink);
    },
  };
}

const rounded = (value: number): number => Math.round(1e4 * value) / 1e4;

const spread = (values: readonly number[]) =>
  values.length === 0
    ? null
    : {
        median: rounded(quantile(values, 0.5)),
        p95: rounded(quantile(values, 0.95)),
        max: rounded(quantile(values, 1)),
      };
