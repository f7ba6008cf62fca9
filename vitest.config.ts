import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import {
  BaseSequencer,
  type Reporter,
  type SerializedError,
  type TestModule,
  type TestSpecification,
} from 'vitest/node';
import { embedShaders } from './scripts/build.mjs';

/** Ends a run with what failed, by name, and one plain line that scripts can read. */
const closingLine: Reporter = {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]) {
    const count = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        count[test.result().state] += 1;
        if (test.result().state === 'failed')
          console.log(`FAILED ${module.relativeModuleId} > ${test.fullName}`);
      }
      for (const { message } of module.errors()) console.log(`FAILED ${module.relativeModuleId}: ${message}`);
      for (const suite of module.children.allSuites())
        for (const { message } of suite.errors())
          console.log(`FAILED ${module.relativeModuleId} > ${suite.fullName}: ${message}`);
    }
    for (const { message } of errors) console.log(`FAILED outside of any test: ${message}`);
    console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped + count.pending} skipped`);
  },
};

/** In watch mode, an edited shader is embedded anew, and the tests that use it run again. */
const shaderWatch: Plugin = {
  name: 'shaders',
  configureServer(server) {
    server.watcher.add(fileURLToPath(new URL('shaders', import.meta.url)));
    server.watcher.on('change', (file) => {
      if (file.endsWith('.wgsl')) embedShaders();
    });
  },
};

/** Begins with the file that takes longest, as it compiles all kernels: last, it would keep one worker busy alone. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLongest = ({ moduleId }: TestSpecification) => moduleId.endsWith('/kernels.test.ts');
    const sorted = await super.sort(files);
    return [...sorted.filter(isLongest), ...sorted.filter((file) => !isLongest(file))];
  }
}

export default defineConfig({
  plugins: [shaderWatch],
  // Tests run on the sources; the command-line tests on what global-setup has built.
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source', 'node', 'module', 'import', 'default'] } },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: 'test/global-setup.ts',
    reporters: ['default', closingLine],
    // A cold shader cache makes single tests slow on a software adapter; nothing here is timed.
    testTimeout: 180_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
  },
});
