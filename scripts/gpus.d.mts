export function rowOf(name: string, report: unknown): string[];
export function tableOf(reports: Iterable<readonly [name: string, report: unknown]>): string;
