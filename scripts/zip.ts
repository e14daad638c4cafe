import { crc32, deflateRawSync } from 'node:zlib';

/** 1980-01-01, the first day of the format: a fixed time makes equal content equal bytes. */
const DOS_DATE = (0 << 9) | (1 << 5) | 1;
const METHOD_DEFLATE = 8;
const VERSION_NEEDED = 20;
const MADE_ON_UNIX = (3 << 8) | VERSION_NEEDED;
/** Regular file, readable by all: Lambda unpacks as one user and runs as another. */
const MODE = 0o100644;

const localHeader = (name: Buffer, content: Buffer, packed: Buffer): Buffer => {
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(VERSION_NEEDED, 4);
  header.writeUInt16LE(METHOD_DEFLATE, 8);
  header.writeUInt16LE(DOS_DATE, 12);
  header.writeUInt32LE(crc32(content), 14);
  header.writeUInt32LE(packed.length, 18);
  header.writeUInt32LE(content.length, 22);
  header.writeUInt16LE(name.length, 26);
  return Buffer.concat([header, name]);
};

/** The same fields again, with what only the directory knows. */
const directoryEntry = (local: Buffer, name: Buffer): Buffer => {
  const entry = Buffer.alloc(46);
  entry.writeUInt32LE(0x02014b50, 0);
  entry.writeUInt16LE(MADE_ON_UNIX, 4);
  local.copy(entry, 6, 4, 30);
  entry.writeUInt32LE((MODE << 16) >>> 0, 38);
  return Buffer.concat([entry, name]);
};

const directoryEnd = (directory: Buffer, startsAt: number): Buffer => {
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(startsAt, 16);
  return end;
};

/**
 * A zip archive of one file, which is all a bundled function is. Equal content gives equal bytes,
 * so an unchanged function is not deployed again.
 *
 * @param path where the file lies in the archive, with forward slashes
 */
export const zipOf = (path: string, content: Buffer): Buffer => {
  const name = Buffer.from(path);
  const packed = deflateRawSync(content, { level: 9 });
  const local = localHeader(name, content, packed);
  const directory = directoryEntry(local, name);
  const end = directoryEnd(directory, local.length + packed.length);
  return Buffer.concat([local, packed, directory, end]);
};
