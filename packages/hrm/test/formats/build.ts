/** Builds the archives and pickles that the tests need: honest ones as torch.save writes them, and lying ones. */

const concat = (parts: Iterable<Uint8Array | readonly number[]>): Uint8Array =>
  Uint8Array.from([...parts].flatMap((part) => [...part]));

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

function littleEndian(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, i) => Number((BigInt(value) >> BigInt(8 * i)) & 0xffn));
}

const u16 = (value: number): number[] => littleEndian(value, 2);
const u32 = (value: number): number[] => littleEndian(value, 4);
const u64 = (value: number): number[] => littleEndian(value, 8);

/** All chunks as one array. */
export async function gather(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export interface EntryToBuild {
  name: string;
  data: Uint8Array;
  /** What the records say instead of the truth. */
  localName?: string;
  size?: number;
  packedSize?: number;
  method?: number;
  flags?: number;
  headerOffset?: number;
}

export interface ZipOptions {
  zip64?: boolean;
  count?: number;
  directoryOffset?: number;
  directorySize?: number;
  comment?: string;
  /** Where the directory stands, if not behind the data: for archives too large to be built. */
  base?: number;
}

/** The directory and end records of `entries`, whose local headers are at `offsets`; it stands at `base`. */
function zipTail(entries: EntryToBuild[], offsets: number[], base: number, options: ZipOptions): Uint8Array {
  const { zip64 = false, comment = '' } = options;
  const directory = concat(
    entries.map((entry, i) => {
      const size = entry.size ?? entry.data.length;
      const packed = entry.packedSize ?? size;
      const offset = entry.headerOffset ?? offsets[i];
      const extra = zip64 ? [...u16(1), ...u16(24), ...u64(size), ...u64(packed), ...u64(offset)] : [];
      const short = (value: number) => u32(zip64 ? 0xffffffff : value);
      return [
        ...[0x50, 0x4b, 1, 2, 0, 0, 0, 0, ...u16(entry.flags ?? 0x0808), ...u16(entry.method ?? 0)],
        ...[0, 0, 0, 0, 0, 0, 0, 0, ...short(packed), ...short(size)],
        ...[...u16(ascii(entry.name).length), ...u16(extra.length), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ...[...short(offset), ...ascii(entry.name), ...extra],
      ];
    }),
  );
  const count = options.count ?? entries.length;
  const size = options.directorySize ?? directory.length;
  const offset = options.directoryOffset ?? base;
  const end64 = [
    ...[0x50, 0x4b, 6, 6, ...u64(44), 0x2d, 0, 0x2d, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ...[...u64(count), ...u64(count), ...u64(size), ...u64(offset)],
    ...[0x50, 0x4b, 6, 7, 0, 0, 0, 0, ...u64(base + directory.length), ...u32(1)],
  ];
  const end = [
    ...[0x50, 0x4b, 5, 6, 0, 0, 0, 0],
    ...[...u16(zip64 ? 0xffff : count), ...u16(zip64 ? 0xffff : count)],
    ...[...u32(zip64 ? 0xffffffff : size), ...u32(zip64 ? 0xffffffff : offset)],
    ...[...u16(comment.length), ...ascii(comment)],
  ];
  return concat([directory, zip64 ? end64 : [], end]);
}

function localHeader({ name, localName = name }: EntryToBuild): Uint8Array {
  const padding = new Uint8Array(7);
  return concat([
    [0x50, 0x4b, 3, 4, 0, 0, ...u16(0x0808), ...new Uint8Array(18)],
    [...u16(ascii(localName).length), ...u16(padding.length)],
    ascii(localName),
    padding,
  ]);
}

/** A ZIP archive as torch.save writes it (padded local headers without sizes), or one that lies. */
export function buildZip(entries: EntryToBuild[], options: ZipOptions = {}): Uint8Array {
  const offsets: number[] = [];
  const parts: Uint8Array[] = [];
  let size = 0;
  for (const entry of entries) {
    offsets.push(size);
    parts.push(localHeader(entry), entry.data);
    size += localHeader(entry).length + entry.data.length;
  }
  return concat([...parts, zipTail(entries, offsets, size, options)]);
}

/** The parts of a zip64 archive whose one entry starts beyond 4 GiB: its local header and its tail. */
export function buildFarZip(entry: EntryToBuild, headerOffset: number, dataSize: number) {
  const header = localHeader(entry);
  const base = headerOffset + header.length + dataSize;
  const tail = zipTail([{ ...entry, size: dataSize }], [headerOffset], base, { zip64: true });
  return { header, tail, base };
}

/** Pieces of pickles, protocol 2. */
export const pickle = {
  mark: [0x28],
  none: [0x4e],
  false: [0x89],
  emptyTuple: [0x29],
  emptyList: [0x5d],
  emptyDict: [0x7d],
  int: (value: number): number[] =>
    value >= 0 && value < 256
      ? [0x4b, value]
      : Math.abs(value) < 2 ** 31
        ? [0x4a, ...u32(value >>> 0)]
        : [0x8a, 8, ...u64(value)],
  text: (value: string): number[] => [0x58, ...u32(ascii(value).length), ...ascii(value)],
  global: (module: string, name: string): number[] => [0x63, ...ascii(`${module}\n${name}\n`)],
  tuple: (...items: number[][]): number[] => [0x28, ...items.flat(), 0x74],
  ints: (values: readonly number[]): number[] => pickle.tuple(...values.map(pickle.int)),
  orderedDict: (): number[] => [...pickle.global('collections', 'OrderedDict'), ...pickle.emptyTuple, 0x52],
  storage: (type: string, key: string, numel: number): number[] => [
    ...pickle.tuple(
      pickle.text('storage'),
      pickle.global('torch', type),
      pickle.text(key),
      pickle.text('cuda:0'),
      pickle.int(numel),
    ),
    0x51,
  ],
  tensor: (
    storage: number[],
    offset: number,
    shape: readonly number[],
    stride: readonly number[],
  ): number[] => [
    ...pickle.global('torch._utils', '_rebuild_tensor_v2'),
    ...pickle.tuple(
      storage,
      pickle.int(offset),
      pickle.ints(shape),
      pickle.ints(stride),
      pickle.false,
      pickle.orderedDict(),
    ),
    0x52,
  ],
  dict: (items: Record<string, number[]>): number[] => [
    ...pickle.orderedDict(),
    0x28,
    ...Object.entries(items).flatMap(([key, value]) => [...pickle.text(key), ...value]),
    0x75,
  ],
  parameter: (tensor: number[], hooks: number[] = pickle.orderedDict()): number[] => [
    ...pickle.global('torch._utils', '_rebuild_parameter'),
    ...pickle.tuple(tensor, [0x88], hooks),
    0x52,
  ],
  /** As from protocol 4 on. */
  shortText: (value: string): number[] => [0x8c, ascii(value).length, ...ascii(value), 0x94],
  stackGlobal: (module: string, name: string): number[] => [
    ...pickle.shortText(module),
    ...pickle.shortText(name),
    0x93,
    0x94,
  ],
  file: (...body: (readonly number[])[]): Uint8Array => concat([[0x80, 2], ...body, [0x2e]]),
  framed: (protocol: number, ...body: (readonly number[])[]): Uint8Array => {
    const frame = concat([...body, [0x2e]]);
    return concat([[0x80, protocol, 0x95], u64(frame.length), frame]);
  },
};

/** A checkpoint whose state dict is `items`, with its storages. */
export function buildCheckpoint(
  items: Record<string, number[]>,
  storages: Record<string, Uint8Array>,
  more: EntryToBuild[] = [],
): Uint8Array {
  return buildZip([
    { name: 'step_7/data.pkl', data: pickle.file(pickle.dict(items)) },
    ...Object.entries(storages).map(([key, data]) => ({ name: `step_7/data/${key}`, data })),
    ...more,
    { name: 'step_7/version', data: ascii('3\n') },
  ]);
}
