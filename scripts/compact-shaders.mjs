// Takes from the shaders that a bundle carries what only their readers need: for packages (packages.mjs) and the page.

/**
 * A module of shader texts, as build.mjs makes them, with these made compact.
 *
 * @param {string} code
 * @param {boolean} tunables with what tuning reads
 * @returns {string}
 */
export function compactShaders(code, tunables) {
  return code.replace(/"(?:[^"\\]|\\.)*"/g, (literal) => compactShader(literal, tunables));
}

/**
 * The string literal of a shader without the spaces that only its readers need, and with or without what tuning reads. Lines
 * stay; columns do in a checkout alone, where shaders are edited.
 */
function compactShader(literal, tunables) {
  const lines = JSON.parse(literal).split('\n');
  const compact = lines.map((line) => {
    const [, code, comment] = line.match(/^(.*?)(\s*\/\/.*)?$/);
    // Not between two operators: `a - -b` must not become `a--b`.
    const joined = code
      .trim()
      .replace(/(?<=[\w)\]}]) *([^\w\s@"]+) *(?=[\w([{])|(?<=[(){},;:]) +| +(?=[(){},;:])/g, '$1');
    // A `const` at the beginning of a line is one of the module; those of functions stay indented.
    return `${/^\s+(?:const|alias)\b/.test(line) ? ' ' : ''}${joined}${tunables ? (comment?.trim() ?? '') : ''}`;
  });
  return JSON.stringify(compact.join('\n'));
}
