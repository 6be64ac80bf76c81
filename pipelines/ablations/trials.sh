# Sourced by the ablations: what the name of a trial means, where arms enter with the best of several recipes, and how it came out.

# Flags of train_student for a trial: hard-dropout0.2, masked-faint, smooth0.05, full-w0.9, essence-masked, …
flags_of() {
  case $1 in
    *-dropout*) echo "--dropout ${1#*-dropout}" ;;
    *-faint) echo '$(call masks,1,2,3)' ;;
    *-weak | *-masked) echo '$(weak_masks)' ;;
    *-medium) echo '$(call masks,1,6,8)' ;;
    *-strong) echo '$(call masks,2,6,8)' ;;
    smooth*) echo "--label-smoothing ${1#smooth}" ;;
    *-w*) echo "--soft-weight ${1#*-w}" ;;
  esac
}

# Soft targets of a trial, none for hard labels.
targets_of() {
  case $1 in
    pseudo-*) echo pseudo ;;
    full-*) echo full ;;
    essence-*) echo top3 ;;
  esac
}

# Word error rate in % of a folder of score.
wer_of() { node -p "(100 * JSON.parse(require('fs').readFileSync('$1/report.json')).wer).toFixed(2)"; }
