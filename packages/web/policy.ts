/** What the page may do: its own files, and downloads from the homes of published checkpoints. */

/**
 * Hosts that offer published checkpoints (src/models/published.ts), and those that they redirect to. A build that is to fetch them
 * from a mirror names it: VITE_CHECKPOINT_HOME=https://mirror.example npm run web:build.
 */
function checkpointHosts(): readonly string[] {
  const mirror = process.env.VITE_CHECKPOINT_HOME;
  return mirror ? [new URL(mirror).origin] : ['https://huggingface.co', 'https://*.hf.co'];
}

/** @param inPage in a `<meta>`, where some directives have no effect and are complained about */
export function contentSecurityPolicy({ inPage }: { inPage: boolean }): string {
  const directives = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob: data:",
    `connect-src 'self' ${checkpointHosts().join(' ')}`,
    "worker-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
  ];
  return [...directives, ...(inPage ? [] : ["frame-ancestors 'none'"])].join('; ');
}
