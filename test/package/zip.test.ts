import { crc32, inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { zipOf } from '../../scripts/zip.ts';

const content = Buffer.from(`export const handler = ${'x'.repeat(5_000)};\n`);
const archive = zipOf('functions/intake.mjs', content);

/** Reads an archive the way unzip does: from the end. */
const read = (zip: Buffer) => {
  const end = zip.length - 22;
  const entry = zip.readUInt32LE(end + 16);
  const nameLength = zip.readUInt16LE(entry + 28);
  const local = zip.readUInt32LE(entry + 42);
  const data = local + 30 + zip.readUInt16LE(local + 26);
  const packed = zip.subarray(data, data + zip.readUInt32LE(entry + 20));
  return {
    signatures: [zip.readUInt32LE(end), zip.readUInt32LE(entry), zip.readUInt32LE(local)],
    directoryLength: zip.readUInt32LE(end + 12),
    entryLength: 46 + nameLength,
    name: zip.subarray(entry + 46, entry + 46 + nameLength).toString(),
    mode: zip.readUInt32LE(entry + 38) >>> 16,
    crc: zip.readUInt32LE(entry + 16),
    size: zip.readUInt32LE(entry + 24),
    content: inflateRawSync(packed),
    dataEnd: data + packed.length,
    entryAt: entry,
  };
};

describe('zipOf', () => {
  it('holds the file under its path, whole', () => {
    const found = read(archive);
    expect(found.signatures).toEqual([0x06054b50, 0x02014b50, 0x04034b50]);
    expect(found).toMatchObject({ name: 'functions/intake.mjs', size: content.length });
    expect(found.crc).toBe(crc32(content));
    expect(found.content.equals(content)).toBe(true);
  });

  it('leaves no gap between the file, the directory and the end', () => {
    const { dataEnd, entryAt, directoryLength, entryLength } = read(archive);
    expect([dataEnd, directoryLength]).toEqual([entryAt, entryLength]);
  });

  it('lets the user that Lambda runs as read the file', () => {
    expect(read(archive).mode).toBe(0o100644);
  });

  it('gives the same bytes for the same content, whenever it is made', () => {
    expect(zipOf('functions/intake.mjs', content).equals(archive)).toBe(true);
    expect(zipOf('functions/sweep.mjs', content).equals(archive)).toBe(false);
  });
});
