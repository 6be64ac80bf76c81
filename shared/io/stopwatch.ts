/** Time that went by, and of processors. */
export interface Timing {
  seconds: number;
  cpuSeconds: number;
}

const round = (seconds: number): number => Math.round(seconds * 1000) / 1000;

/** Tells what passed since it was last asked. */
export function createStopwatch(): () => Timing {
  let started = performance.now();
  let cpu = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    const timing = { seconds: round((performance.now() - started) / 1000), cpuSeconds: round((user + system) / 1e6) };
    started = performance.now();
    cpu = process.cpuUsage();
    return timing;
  };
}

export const totalTiming = (timings: readonly Timing[]): Timing => ({
  seconds: round(timings.reduce((sum, { seconds }) => sum + seconds, 0)),
  cpuSeconds: round(timings.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0)),
});
