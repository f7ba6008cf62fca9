/** What a new kernel may be called. */
import { UserError } from '@hrm-webgpu/core';
import * as kernels from '@hrm-webgpu/kernels';
import { checks } from '@hrm-webgpu/kernels/checks';

/** A kernel's name in the forms that its files need. */
export interface Names {
  /** Of the files: `row_max`. */
  snake: string;
  /** Of the kernel and the op: `rowMax`. */
  camel: string;
  /** Of types: `RowMax`. */
  pascal: string;
}

/** Words that are no names in TypeScript, or have another meaning in the files of a kernel. */
const RESERVED = new Set(
  (
    'arguments await break case catch class const continue debugger default delete do else enum eval export extends false ' +
    'finally for function if implements import in instanceof interface let new null package private protected public return ' +
    'static super switch this throw true try typeof undefined var void while with yield ' +
    'check checkGradients checks expect expectType it launch linearGrid openDevice text uniformArray'
  ).split(' '),
);

/**
 * A name in all its forms.
 *
 * @param commands of the lab, which a kernel must not be called like
 * @throws UserError for what is no name, or is taken
 */
export function namesOf(name: string, commands: readonly string[], differentiable: boolean): Names {
  if (!/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(name)) {
    throw new UserError(
      `'${name}' is no name for a kernel: expected lower-case words of letters and digits, with _ between them, like row_max`,
    );
  }
  const camel = name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  if (RESERVED.has(camel) || commands.includes(name))
    throw new UserError(`a kernel cannot be called '${name}': the word has another meaning`);
  const alike = Object.keys(checks).find((known) => known.replaceAll('_', '') === name.replaceAll('_', ''));
  if (alike !== undefined) throw new UserError(`there is a kernel '${alike}': shaders/${alike}.wgsl`);
  if (!differentiable) return { snake: name, camel, pascal: pascalOf(camel) };
  const backward = `${name}_backward`;
  if (Object.hasOwn(checks, backward))
    throw new UserError(`there is a kernel '${backward}': shaders/${backward}.wgsl`);
  if (Object.hasOwn(kernels, camel))
    throw new UserError(
      `an op cannot be called '${camel}': @hrm-webgpu/kernels exports another thing of that name`,
    );
  return { snake: name, camel, pascal: pascalOf(camel) };
}

const pascalOf = (camel: string) => camel[0].toUpperCase() + camel.slice(1);
