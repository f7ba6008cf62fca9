/**
 * Makes the order in which a kernel's work is done something that a check can choose. Software adapters run workgroups, and
 * in each the threads up to the next barrier, in ascending order: there, a stray write is written over by its owner later,
 * and a barrier that is missing may not be missed. GPUs do it in any order.
 *
 * The shader stays as it is but for its entry point. Where `params.reversed_order` is 1, workgroup i of n in each dimension
 * does what workgroup n − 1 − i would do, and so do the threads of each workgroup; where it is 0, each does its own. What
 * they are called stays too, and lines keep their numbers. Kernels that use subgroups keep their threads, as those belong
 * to lanes.
 */

/** The field of `struct Params` that {@link withOrder} adds. */
export const ORDER_PARAM = 'reversed_order';

const ENTRY = /@workgroup_size\(([^)]*)\)\s*fn main\(([\s\S]*?)\)\s*\{/;
const ARGUMENT = /@builtin\((\w+)\)\s*(\w+)/g;

/**
 * The text of a kernel with a choice of order.
 *
 * @throws Error when its entry point is not found
 */
export function withOrder(name: string, text: string): string {
  const entry = text.match(ENTRY);
  if (!entry) throw new Error(`shaders/${name}.wgsl: needs '@compute @workgroup_size(…)' and 'fn main(…) {'`);
  const names = new Map([...entry[2].matchAll(ARGUMENT)].map(([, builtin, own]) => [builtin, own]));
  const reordered = new Reordered(names, entry[1], /\bsubgroup[A-Z]\w*\(/.test(text));
  const lets = reordered.lets();
  const changed = entry[0].replace(entry[2], () => reordered.args(entry[2])) + lets;
  return addParam(text.replace(entry[0], () => changed));
}

/** The arguments of an entry point, in another order. */
class Reordered {
  private readonly own = new Map<string, string>();
  private readonly added: string[] = [];
  private readonly size: string;

  constructor(
    private readonly names: ReadonlyMap<string, string>,
    extents: string,
    private readonly keepsThreads: boolean,
  ) {
    const [x, y = '1', z = '1'] = extents
      .split(',')
      .map((extent) => extent.trim())
      .filter(Boolean);
    this.size = `vec3<u32>(${[x, y, z].map((extent) => `u32(${extent})`).join(', ')})`;
  }

  /** What stands at the beginning of the body: the names that it uses, with the ids of who does the work. */
  lets(): string {
    const { names, size, keepsThreads } = this;
    const ordered = {
      workgroup_id: () => this.reversed('workgroup_id', this.named('num_workgroups')),
      ...(keepsThreads
        ? {}
        : {
            local_invocation_id: () => this.reversed('local_invocation_id', size),
            local_invocation_index: () =>
              this.reversed('local_invocation_index', `${size}.x * ${size}.y * ${size}.z`),
          }),
      global_invocation_id: () => {
        const group = this.reversed('workgroup_id', this.named('num_workgroups'));
        const local = keepsThreads
          ? this.named('local_invocation_id')
          : this.reversed('local_invocation_id', size);
        return `${group} * ${size} + ${local}`;
      },
    };
    return Object.entries(ordered)
      .filter(([builtin]) => names.has(builtin))
      .map(([builtin, value]) => {
        if (!this.own.has(builtin)) this.rename(builtin);
        return ` let ${names.get(builtin)} = ${value()};`;
      })
      .join('');
  }

  /** The arguments, renamed where the body uses another value under that name. To be asked for after the {@link lets}. */
  args(before: string): string {
    let after = before;
    for (const [builtin, own] of this.own)
      after = after.replace(new RegExp(`(@builtin\\(${builtin}\\)\\s*)\\w+`), (_, start) => start + own);
    if (this.added.length === 0) return after;
    return `${after.trimEnd().replace(/,$/, '')}${after.trim() ? ', ' : ''}${this.added.join(', ')}`;
  }

  private reversed(builtin: string, count: string): string {
    const own = this.ownName(builtin);
    return `select(${own}, ${count} - 1u - ${own}, params.${ORDER_PARAM} == 1u)`;
  }

  /** The name of a builtin that keeps its value. */
  private named(builtin: string): string {
    return this.own.get(builtin) ?? this.names.get(builtin) ?? this.add(builtin);
  }

  /** The name of a builtin's own value, where the body may have another one. */
  private ownName(builtin: string): string {
    if (this.names.has(builtin)) return this.own.get(builtin) ?? this.rename(builtin);
    return this.own.get(builtin) ?? this.add(builtin);
  }

  private rename(builtin: string): string {
    const name = `own_${builtin}`;
    this.own.set(builtin, name);
    return name;
  }

  private add(builtin: string): string {
    const name = this.rename(builtin);
    this.added.push(`@builtin(${builtin}) ${name}: vec3<u32>`);
    return name;
  }
}

/** First, where no comment can swallow it. */
function addParam(text: string): string {
  return text.replace(/(struct Params\s*\{)/, `$1 ${ORDER_PARAM}: u32,`);
}
