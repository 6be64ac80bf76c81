import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

/** A Slurm cluster on this machine: a controller and some nodes of one processor each, in a folder of its own. */
export interface SlurmCluster {
  /** What its commands have to find in their environment. */
  env: Record<string, string>;
  /** Jobs that are not at their end, as `name node`. */
  jobs(): string[];
  /** A machine that is gone from one moment to the next: its daemon and all that runs on it. */
  killNode(node: string): void;
  /** How the controller sees a node. */
  stateOf(node: string): string;
  stop(): Promise<void>;
}

/** What is missing for one, or undefined. */
export function slurmMissing(): string | undefined {
  if (process.getuid?.() !== 0) return 'not root, which Slurm node daemons need';
  const missing = ['munged', 'slurmctld', 'slurmd', 'sbatch'].filter(
    (program) => spawnSync('bash', ['-c', `command -v ${program}`], { env: withSbin }).status !== 0,
  );
  return missing.length > 0 ? `${missing.join(', ')} (Debian: slurm-wlm, munge)` : undefined;
}

const withSbin = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };

/** Starts it, and waits until all nodes are there. */
export async function startSlurmCluster(nodes: number): Promise<SlurmCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'kd-slurm-'));
  const at = (name: string): string => join(folder, name);
  const names = Array.from({ length: nodes }, (_, i) => `node${i}`);
  const [controllerPort, ...ports] = await freePorts(nodes + 1);
  mkdirSync(at('state'));
  const key = Buffer.from(Array.from({ length: 128 }, () => Math.floor(256 * Math.random())));
  writeFileSync(at('munge.key'), key, { mode: 0o400 });
  writeFileSync(
    at('slurm.conf'),
    `ClusterName=test
SlurmctldHost=${hostname()}(127.0.0.1)
SlurmctldPort=${controllerPort}
AuthType=auth/munge
AuthInfo=cred_expire=5,socket=${at('munge.socket')}
SlurmUser=root
StateSaveLocation=${at('state')}
SlurmdSpoolDir=${at('spool-%n')}
SlurmctldPidFile=${at('slurmctld.pid')}
SlurmdPidFile=${at('slurmd-%n.pid')}
SlurmctldLogFile=${at('slurmctld.log')}
SlurmdLogFile=${at('slurmd-%n.log')}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=0
SlurmdTimeout=10
KillWait=5
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1
${names.map((name, i) => `NodeName=${name} NodeHostname=${hostname()} NodeAddr=127.0.0.1 Port=${ports[i]} CPUs=1 State=UNKNOWN`).join('\n')}
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
`,
  );
  const env = { ...(withSbin as Record<string, string>), SLURM_CONF: at('slurm.conf') };
  const run = (program: string, ...argv: string[]): string => {
    const { status, stdout, stderr } = spawnSync(program, argv, { env, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${program} ${argv.join(' ')}: ${stderr}`);
    return stdout.trim();
  };
  const kill = (pid: number): void => {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // gone already
    }
  };
  const cluster: SlurmCluster = {
    env,
    jobs: () => run('squeue', '--noheader', '--format=%j %N').split('\n').filter(Boolean),
    killNode(node) {
      const tasks = processes().filter(({ environment }) =>
        [`SLURM_CONF=${env.SLURM_CONF}`, `SLURMD_NODENAME=${node}`].every((part) => environment.includes(part)),
      );
      // who watches over a task would report its end
      const watchers = processes().filter(
        ({ id, name }) => name.startsWith('slurmstepd') && tasks.some(({ parent }) => parent === id),
      );
      for (const { id } of [...watchers, ...tasks]) kill(id);
      kill(Number(readFileSync(at(`slurmd-${node}.pid`), 'utf8')));
    },
    stateOf: (node) => run('sinfo', '--noheader', `--nodes=${node}`, '--format=%T'),
    async stop() {
      spawnSync('scancel', ['--state=PENDING'], { env });
      spawnSync('scancel', ['--state=RUNNING'], { env });
      for (let i = 0; i < 50 && cluster.jobs().length > 0; i++) await setTimeout(200);
      for (const name of readdirSync(folder).filter((name) => name.endsWith('.pid'))) {
        kill(Number(readFileSync(at(name), 'utf8')));
      }
      await setTimeout(500);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  const places = ['key-file=munge.key', 'socket=munge.socket', 'pid-file=munged.pid', 'log-file=munged.log', 'seed-file=munged.seed'];
  run('munged', '--force', ...places.map((place) => `--${place.replace('=', `=${folder}/`)}`));
  run('slurmctld', '-f', at('slurm.conf'));
  for (const name of names) run('slurmd', '-f', at('slurm.conf'), '-N', name);
  for (let i = 0; names.some((name) => cluster.stateOf(name) !== 'idle'); i++) {
    if (i > 150) throw new Error(`Slurm does not start: ${readFileSync(at('slurmctld.log'), 'utf8').slice(-2000)}`);
    await setTimeout(200);
  }
  return cluster;
}

interface Process {
  id: number;
  parent: number;
  name: string;
  environment: string[];
}

/** What runs on this machine. */
function processes(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((id) => {
      try {
        const read = (file: string): string => readFileSync(`/proc/${id}/${file}`, 'utf8');
        const [, name, parent] = /^\d+ \((.*)\) . (\d+)/s.exec(read('stat'))!;
        return [{ id: Number(id), parent: Number(parent), name: name!, environment: read('environ').split('\0') }];
      } catch {
        return []; // ended meanwhile
      }
    });
}

/** Ports that nobody listens on. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<Server>((resolve, reject) => {
          const server = createServer().once('error', reject);
          server.listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
