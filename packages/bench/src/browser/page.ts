/** Milliseconds since the navigation began, but for `againMs`. */
export interface PageTimes {
  /** The library is there. */
  libraryMs: number;
  /** The weights are on the GPU. */
  loadedMs: number;
  firstSegmentMs: number;
  solvedMs: number;
  /** What the same puzzle takes a second time. */
  againMs: number;
  segments: number;
}

/** The page that `bench browser` visits: it leaves its {@link PageTimes}, or an error, in `found`. */
export const PAGE = `<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <title>hrm-webgpu: start</title>
  <link rel="icon" href="data:,">
  <script type="module">
    import { HRM } from './standalone.js';
    try {
      const libraryMs = performance.now();
      const query = new URLSearchParams(location.search);
      const grid = JSON.parse(query.get('grid'));
      const model = await HRM.load(new URL(query.get('model'), location.href));
      const loadedMs = performance.now();
      let firstSegmentMs;
      const onSegment = () => {
        firstSegmentMs ??= performance.now();
      };
      const { segments } = await model.solve(grid, { onSegment });
      const solvedMs = performance.now();
      await model.solve(grid, { maxSteps: 1 }); // the kernels are checked before a second answer
      const start = performance.now();
      await model.solve(grid, { maxSteps: segments, halt: false });
      const againMs = performance.now() - start;
      globalThis.found = { libraryMs, loadedMs, firstSegmentMs, solvedMs, againMs, segments };
    } catch (error) {
      globalThis.found = { error: String(error?.stack ?? error) };
    }
  </script>
</html>
`;
