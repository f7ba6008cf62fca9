/** Lines of comma-separated values: RFC 4180, without line breaks inside quotes. */

/** The fields of a line; undefined where its quotes do not match. */
export function parseCsvLine(line: string): string[] | undefined {
  if (!line.includes('"')) return line.split(',');
  const fields: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;
  for (let ended = false; !ended; ) {
    const match = field.exec(line);
    if (!match) return undefined;
    const [, quoted, plain, end] = match;
    fields.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    ended = end === '';
  }
  return fields;
}
