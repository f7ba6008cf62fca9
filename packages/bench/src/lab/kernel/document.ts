/** What the lab found out, as one JSON document for scripts. */
import { type Findings, problemIn } from './inspection.ts';

/** The JSON document of a kernel. */
export function documentOf(findings: Findings) {
  const { kernel, verdict, skipped, timing, refused, coldMs, roofline } = findings;
  const steps = [
    ['first', findings.first],
    ['named settings', findings.named],
    ['all pairs of settings', findings.covering],
  ] as const;
  return {
    kernel,
    verdict: skipped ? 'skipped' : verdict,
    checks: [
      { name: 'compiles', passed: !refused, ...(refused ? { worst: refused } : {}) },
      ...steps.flatMap(([name, reply]) =>
        reply
          ? [
              {
                name,
                passed: !reply.problem,
                shape: reply.at ?? reply.marginAt,
                worst: reply.problem ?? reply.margin,
                cases: reply.cases,
              },
            ]
          : [],
      ),
      ...(findings.gradients ? [gradientsCheck(findings.gradients)] : []),
      ...(findings.badges ?? [])
        .filter(({ skipped }) => !skipped)
        .map(({ name, problem }) => ({ name, passed: !problem, ...(problem ? { worst: problem } : {}) })),
      ...(findings.failure ? [{ name: 'runs', passed: false, worst: findings.failure }] : []),
    ],
    timing: timing
      ? { ...timing, ...(coldMs === undefined ? {} : { coldMs }), ...(roofline ? { roofline } : {}) }
      : null,
    ...(skipped ? { skipped } : {}),
    ...(problemIn(findings) ? { problem: problemIn(findings) } : {}),
  };
}

function gradientsCheck({ ops, margin, problem, remark }: NonNullable<Findings['gradients']>) {
  return {
    name: 'gradients',
    passed: !problem,
    worst: problem ?? margin,
    ops,
    ...(remark ? { remark } : {}),
  };
}
