/** How many times worse than knowing nothing a model is that was driven apart, and not merely wrong. */
const margin = 10;

/**
 * Whether a training ended in a model that was driven apart: surer of wrong tokens than any that learns becomes.
 *
 * Even posteriors have a loss of ln V nats a frame (with CTC, less), and untrained networks have hardly more. A model is
 * taken for diverged where its loss on dev data is above ten times that. One that is overfitted, or trained on other speech,
 * may be far off on dev data, too, but has learnt what it was trained on: it has a training loss below ln V, and is let be.
 *
 * @param trainLoss mean loss of the updates before the model, nats a frame
 * @param devLoss of the model: cross-entropy with hard labels, or CTC, nats a frame
 */
export function hasDiverged({
  trainLoss,
  devLoss,
  tokens,
}: {
  trainLoss: number;
  devLoss: number;
  tokens: number;
}): boolean {
  const even = Math.log(tokens);
  return Number.isNaN(devLoss) || (trainLoss > even && devLoss > margin * even);
}
