const blockSize = 4096;
const rateCodes: Record<number, number> = { 8000: 4, 16000: 5, 44100: 9, 48000: 10 };

/** A FLAC file of 16-bit samples that are not compressed (verbatim), by channel. @see RFC 9639 */
export function flacBytes(channels: readonly Int16Array[], { sampleRateHz }: { sampleRateHz: number }): Buffer {
  const samples = channels[0]!.length;
  const information = Buffer.alloc(38);
  information.writeUInt32BE(0x80000022, 0); // the last block of metadata, 34 bytes
  information.writeUInt16BE(blockSize, 4);
  information.writeUInt16BE(blockSize, 6);
  const packed = (BigInt(sampleRateHz) << 44n) | (BigInt(channels.length - 1) << 41n) | (15n << 36n) | BigInt(samples);
  information.writeBigUInt64BE(packed, 14);
  const frames = Array.from({ length: Math.ceil(samples / blockSize) }, (_, i) =>
    frame(
      channels.map((channel) => channel.subarray(i * blockSize, (i + 1) * blockSize)),
      { number: i, rateCode: rateCodes[sampleRateHz]! },
    ),
  );
  return Buffer.concat([Buffer.from('fLaC'), information, ...frames]);
}

function frame(
  channels: readonly Int16Array[],
  { number, rateCode }: { number: number; rateCode: number },
): Buffer {
  if (number > 127) throw new RangeError('a frame number of more than one byte is not written here');
  const count = channels[0]!.length;
  const kind = ((channels.length - 1) << 4) | 8; // 16 bits
  const head = Buffer.of(0xff, 0xf8, 0x70 | rateCode, kind, number, (count - 1) >> 8, (count - 1) & 255);
  const subframes = channels.flatMap((channel) => {
    const bytes = Buffer.alloc(1 + 2 * count);
    bytes[0] = 2; // verbatim
    channel.forEach((sample, i) => void bytes.writeInt16BE(sample, 1 + 2 * i));
    return [bytes];
  });
  const body = Buffer.concat([head, Buffer.of(remainder(head, { bits: 8, polynomial: 0x07 })), ...subframes]);
  const end = Buffer.alloc(2);
  end.writeUInt16BE(remainder(body, { bits: 16, polynomial: 0x8005 }));
  return Buffer.concat([body, end]);
}

function remainder(bytes: Uint8Array, { bits, polynomial }: { bits: number; polynomial: number }): number {
  const top = 1 << (bits - 1);
  let rest = 0;
  for (const byte of bytes) {
    rest ^= byte << (bits - 8);
    for (let bit = 0; bit < 8; bit++) rest = ((rest << 1) ^ (rest & top ? polynomial : 0)) & (2 * top - 1);
  }
  return rest;
}
