/** A WAV file of 16-bit samples or floats, those of all channels of a moment one after another. */
export function wavBytes(
  samples: Int16Array | Float32Array,
  { sampleRateHz, channels }: { sampleRateHz: number; channels: number },
): Buffer {
  const width = samples.BYTES_PER_ELEMENT;
  const head = Buffer.alloc(44);
  head.write('RIFF');
  head.writeUInt32LE(36 + samples.byteLength, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(samples instanceof Float32Array ? 3 : 1, 20);
  head.writeUInt16LE(channels, 22);
  head.writeUInt32LE(sampleRateHz, 24);
  head.writeUInt32LE(width * channels * sampleRateHz, 28);
  head.writeUInt16LE(width * channels, 32);
  head.writeUInt16LE(8 * width, 34);
  head.write('data', 36);
  head.writeUInt32LE(samples.byteLength, 40);
  return Buffer.concat([head, Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)]);
}
