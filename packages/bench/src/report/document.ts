/** What `--json` writes. */
import { passed, type Report } from './report.ts';

/** The number in `format`; it grows when older readers would misread a document. */
export const DOCUMENT_FORMAT = 1;

/** A benchmark's report as the document that `--json` writes; what is for people only is left out. */
export function documentOf(benchmark: string, environment: object, report: Report): object {
  const { title, table: _, shown: __, ...findings } = report;
  return { format: DOCUMENT_FORMAT, benchmark, title, ok: passed(report), environment, ...findings };
}
