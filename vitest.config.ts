import { fileURLToPath } from 'node:url';
import { playwright } from '@vitest/browser-playwright';
import type { Plugin } from 'vite';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import {
  BaseSequencer,
  type Reporter,
  type SerializedError,
  type TestModule,
  type TestSpecification,
} from 'vitest/node';
import { chromiumLaunchOptions } from './scripts/browsers.mjs';
import { embedShaders } from './scripts/build.mjs';
import { reasonToSkip } from './test/browser/chromium.ts';

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

const skip = reasonToSkip();
if (skip) console.warn(`the tests of the engine in Chromium are left out: ${skip}`);

/** The engine's own tests again, in a browser: kernels, autograd, recording and what is beneath them. */
const chromium: TestProjectInlineConfiguration = {
  extends: true,
  resolve: { conditions: ['source', 'browser', 'module', 'import', 'default'] },
  test: {
    name: 'chromium',
    include: [
      'packages/core/test/{device,launch,plan,tape,random}.test.ts',
      'packages/kernels/test/{gradients,op-errors}.test.ts',
      'test/browser/*.in-page.test.ts',
    ],
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({ launchOptions: chromiumLaunchOptions() }),
      instances: [{ browser: 'chromium' }],
    },
  },
};

/** What takes minutes together, and runs by itself (`npm run slow`): other projects and tools, documents followed to the letter, much compiling. */
const SLOW = [
  'test/packaging/packages.test.ts',
  'test/kernels-doc.test.ts',
  'test/lab-new.test.ts',
  'test/engine-doc.test.ts',
  'test/fuzz.test.ts',
  'test/hrm-gradient.test.ts',
  'test/hrm-figures.test.ts',
  'test/hrm-train-recipes.test.ts',
  'test/hrm-train-signals.test.ts',
  'test/hrm-tune.test.ts',
  'test/soak/faults.test.ts',
  'packages/hrm/test/training/losses.test.ts',
  'packages/hrm/test/training/variants.test.ts',
  'packages/hrm/test/solving/hrm-losses.test.ts',
  'packages/bench/test/isa/isa.test.ts',
  'packages/bench/test/peers/peers-process.test.ts',
  'packages/bench/test/lab/lab-slow.test.ts',
  'packages/bench/test/lab/seeing/seeing.test.ts',
  'packages/bench/test/lab/seeing/seeing-slow.test.ts',
];

/** The page in a real browser, but for a short slice of it: `npm run web:test`. */
const PAGE = 'packages/web/test/browser/*.test.ts';

const node: TestProjectInlineConfiguration = {
  extends: true,
  test: {
    name: 'node',
    include: ['packages/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: ['**/*.in-page.test.ts', '**/node_modules/**'],
    setupFiles: ['test/quiet-driver.ts'],
  },
};

function inMode(project: TestProjectInlineConfiguration, mode: string): TestProjectInlineConfiguration {
  const { test } = project;
  const left = { slow: [PAGE], soak: [PAGE], page: SLOW }[mode] ?? [...SLOW, PAGE];
  const exclude = [...(test?.exclude ?? []), ...left];
  // What the kernels' tests hold depends on the mode.
  const include = mode === 'slow' ? ['packages/kernels/test/kernels.test.ts', ...SLOW] : test?.include;
  return { ...project, mode, test: { ...test, include, exclude } };
}

export default defineConfig(({ mode }) => ({
  plugins: [shaderWatch],
  // Tests run on the sources; the command-line tests on what global-setup has built.
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source', 'node', 'module', 'import', 'default'] } },
  test: {
    // `--mode` does not reach projects by itself.
    projects: (skip || mode === 'slow' ? [node] : [node, chromium]).map((project) => inMode(project, mode)),
    globalSetup: 'test/global-setup.ts',
    reporters: ['default', closingLine],
    // A cold shader cache makes single tests slow on a software adapter; nothing here is timed. All pairs of settings of a
    // tiled kernel take minutes to compile.
    testTimeout: mode === 'check' ? 1_800_000 : 180_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
  },
}));
