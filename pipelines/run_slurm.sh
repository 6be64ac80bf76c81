#!/usr/bin/env bash
# Runs one stage as a Slurm job: LOG COMMAND…, as run_local.sh does; or [--array N] LOG COMMAND… its N parts, by
# --shard, as an array of jobs. What fails is tried once more and then named; the rest stands. An interruption cancels
# the jobs. From the environment: PARTITION, ACCOUNT, TIME_LIMIT and MEMORY of a job, SBATCH_FLAGS whatever else sbatch takes.
set -u
parts=
if [ "$1" = --array ]; then
  parts=$2
  shift 2
fi
log=$1
shift
folder=$(mktemp -d "$(dirname "$log")/slurm-XXXXXX") || exit 1
name=$(dirname "$log" | tr , _).$$.$RANDOM
start=$(date +%s)

sbatch_pid=
# sbatch first: it might submit after there was nothing to cancel
cancel() {
  [ -z "$sbatch_pid" ] || { kill "$sbatch_pid" && wait "$sbatch_pid"; } 2>/dev/null
  timeout 20 scancel --name="$name" ||
    echo "Cannot cancel the jobs named $name: Slurm does not answer; call scancel --name=$name when it does" >&2
  exit 130
}
trap cancel INT TERM HUP
trap 'rm -rf "$folder"' EXIT

task_log() { echo "$log${parts:+-$1}"; }
# a job that never came to its end has left no code
code_of() { cat "$folder/code-$1" 2>/dev/null || echo 1; }

# What a job does; its exit code is kept, since Slurm tells only the largest of an array.
{
  echo '#!/usr/bin/env bash'
  echo "$(printf '%q ' "$@")${parts:+--shard \"\$SLURM_ARRAY_TASK_ID/$parts\"} >/dev/null"
  printf 'code=$?\necho "$code" >%q/code-"${SLURM_ARRAY_TASK_ID:-0}"\nexit "$code"\n' "$folder"
} >"$folder/job.sh"

# Submits tasks, as 0,3,4, and waits for all of them.
submit() {
  sbatch --wait --quiet --job-name="$name" --open-mode=append --output="$log${parts:+-%a}" ${parts:+--array="$1"} \
    ${PARTITION:+--partition="$PARTITION"} ${ACCOUNT:+--account="$ACCOUNT"} ${TIME_LIMIT:+--time="$TIME_LIMIT"} \
    ${MEMORY:+--mem="$MEMORY"} ${SBATCH_FLAGS:-} "$folder/job.sh" >/dev/null 2>"$folder/sbatch.log" &
  sbatch_pid=$!
  wait "$sbatch_pid"
}

pending=$(seq -s ' ' 0 $((${parts:-1} - 1)))
hopeless=
for task in $pending; do : >"$(task_log "$task")"; done
for attempt in first second; do
  if submit "${pending// /,}"; then
    pending=
    break
  fi
  failed=$pending
  pending=
  for task in $failed; do
    case $(code_of "$task") in
      0) ;;
      2 | 4) hopeless="$hopeless $task" ;; # a wrong command line or a training that diverged is so again
      *) pending="${pending:+$pending }$task" ;;
    esac
  done
  if [ $attempt = second ] || [ -z "$pending" ]; then break; fi
  echo "failed, and tried once more: $(dirname "$log")${parts:+, part ${pending// /, } of $parts}" >&2
  scancel --name="$name"
  for task in $pending; do rm -f "$folder/code-$task"; done
done

worst=0
for task in $hopeless $pending; do
  worst=$(code_of "$task")
  printf 'failed (exit code %d)%s: %s\n' "$worst" "${parts:+, part $task of $parts}" "$*" >&2
  tail -n 20 "$(task_log "$task")" >&2
done
if [ "$worst" -eq 0 ]; then
  printf '%4d s  %s%s\n' "$(($(date +%s) - start))" "$(dirname "$log")" "${parts:+ in $parts parts}" >&2
elif [ -s "$folder/sbatch.log" ]; then
  cat "$folder/sbatch.log" >&2
fi
exit "$worst"
