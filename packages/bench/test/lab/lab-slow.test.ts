/** What the lab does over a while: the whole of a look at a kernel, sweeps, and watching. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { commit, edit, file, folder, inRoot, lab, once, original, STORE, start } from './lab-command.ts';

describe('once', () => {
  it('is right with a comment more and another name for a variable', async () => {
    commit();
    edit((text) => `// a remark, with x[1 in it\n${text.replace(/\bi\b/g, 'place')}`);
    const { code, out } = await once();
    const { kernel, verdict, checks, timing, problem } = JSON.parse(out);
    expect([code, kernel, problem]).toEqual([0, 'add', undefined]);
    expect(['same', 'faster', 'slower']).toContain(verdict); // the machine may be busy
    expect(checks.filter(({ passed }: { passed: boolean }) => !passed)).toEqual([]);
    const names = checks.map(({ name }: { name: string }) => name);
    expect(names).toEqual(
      expect.arrayContaining([
        'compiles',
        'first',
        'named settings',
        'all pairs of settings',
        'default limits',
      ]),
    );
    expect(timing.rivals).toEqual(['the committed version']);
    expect(timing.against[0].low).toBeLessThanOrEqual(timing.against[0].ratio);
  });

  it('finds one that poorer devices have no room for', async () => {
    edit((text) =>
      text
        .replace('@compute', 'var<workgroup> large: array<f32, 5000>;\n@compute')
        .replace(STORE, `large[i % 5000] = 0.0; ${STORE}`),
    );
    const { code, out } = await once();
    expect(JSON.parse(out)).toMatchObject({
      verdict: 'wrong',
      problem: expect.stringMatching(/^(default limits|naga): /),
    });
    expect(code).toBe(1);
  });

  it('stops one that never ends', async () => {
    edit((text) => text.replace(STORE, `loop { if (all(c[i] == pack(77.0))) { break; } } ${STORE}`));
    const { code, out } = await once('--limit', '3');
    expect(JSON.parse(out)).toMatchObject({
      verdict: 'wrong',
      problem: expect.stringMatching(/does not end within 3 s/),
    });
    expect(code).toBe(1);
  });
});

it('--tune times settings by turns and says which are wrong', async () => {
  edit((text) => `${text}\n`);
  const { code, out } = await lab('add', '--tune', 'GROUP=32,99999', '--shaders', folder, '--json');
  const { settings } = JSON.parse(out);
  expect(settings).toEqual([
    { constants: {}, ms: expect.any(Number) },
    {
      constants: { GROUP: 32 },
      ms: expect.any(Number),
      ratio: expect.any(Object),
      word: expect.stringMatching(/^(faster|slower|same)$/),
    },
    { constants: { GROUP: 99999 }, problem: expect.stringMatching(/workgroup_size/) },
  ]);
  expect(code).toBe(1);
});

/** A lab that watches `add`, and what waits until it shows something. */
function watching(environment?: Record<string, string>, length = 4096) {
  const args = ['add', '--shaders', folder, '--shape', `length=${length}`];
  const { child, said, code } = start(args, environment, true);
  const until = async (pattern: RegExp) => {
    const end = Date.now() + 60_000;
    while (!pattern.test(said.out)) {
      if (Date.now() > end) throw new Error(`not seen: ${pattern} in ${said.out}${said.err}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    said.out = '';
  };
  const end = async () => {
    process.kill(-(child.pid as number), 'SIGINT'); // the whole group, as a terminal does
    expect(await code).toBe(0);
    expect(said.err).toBe('');
    return said.out;
  };
  return { until, end };
}

it('watches, two at once: a save, a mistake, half a file, a file that is elsewhere for a while', async () => {
  const labs = [watching(), watching()];
  const both = (pattern: RegExp) => Promise.all(labs.map(({ until }) => until(pattern)));
  await both(/in all pairs of settings/);
  edit((text) => text.replace('b[i];', 'bb[i];'));
  await both(/add wrong.*unresolved value 'bb'/s);
  edit((text) => text.slice(0, text.indexOf(STORE)));
  await both(/add wrong.*expected '}'/s);
  renameSync(file, join(folder, 'elsewhere.wgsl'));
  await both(/add\.wgsl is not there/);
  writeFileSync(file, `${original}\n`);
  await both(/add (same|faster|slower).*save before|add right/s);
  await Promise.all(labs.map(({ end }) => end()));
});

it('Ctrl-C while it is at work is no verdict on the kernel', async () => {
  const { until, end } = watching();
  await until(/^compiled +yes/m);
  expect(await end()).not.toContain('wrong');
});

it('says that a path is a folder, and goes on', async () => {
  const { until, end } = watching();
  await until(/in all pairs of settings/);
  rmSync(file);
  mkdirSync(file);
  await until(/add\.wgsl: is a folder, expected a file/);
  rmSync(file, { recursive: true });
  writeFileSync(file, original);
  await until(/add (same|faster|slower)|add right/);
  await end();
});

it('stops one that takes more than ten times as long, and is there for the next save', async () => {
  const { until, end } = watching({}, 100_000);
  await until(/in all pairs of settings/);
  edit((text) =>
    text.replace(
      STORE,
      `var s = f32(i); for (var k = 0; k < 3000; k++) { s = sin(s) + 1.0; } ${STORE} if (s < -1e30) { c[i] = pack(0); }`,
    ),
  );
  await until(/add slower.*more than ten times as long: stopped there/s);
  writeFileSync(file, `${original}\n`);
  const start = Date.now();
  await until(/add (same|faster|slower)/s);
  expect(Date.now() - start).toBeLessThan(15_000); // 2 s where nothing else runs; whole caches of so slow a kernel took 20
  await end();
});

it('goes on with another device when a kernel loses its own', async () => {
  // What no kernel can do to a software adapter: a module with this remark in it ends the device.
  const preload = join(folder, 'lose.mjs');
  writeFileSync(
    preload,
    `import { globals } from ${JSON.stringify(pathToFileURL(inRoot('node_modules/webgpu/index.js')).href)};
     const { createShaderModule } = globals.GPUDevice.prototype;
     globals.GPUDevice.prototype.createShaderModule = function (descriptor) {
       if (descriptor.code.includes('lose_the_device')) this.destroy();
       return createShaderModule.call(this, descriptor);
     };`,
  );
  const { until, end } = watching({ NODE_OPTIONS: `--import ${pathToFileURL(preload).href}` });
  await until(/in all pairs of settings/);
  edit((text) => `${text}const lose_the_device = 1;\n`);
  await until(/add wrong.*device/s);
  writeFileSync(file, `${original}\n`);
  await until(/add (same|faster|slower)/s);
  await end();
});
