/** Control and format characters (Unicode Cc, Cf), line breaks and tabs apart: they steer terminals, and turn text around. */
const STEERING = /(?![\n\t])[\p{Cc}\p{Cf}]/gu;

/** Text of unknown origin so that it can be shown: what would steer a terminal is written as `\u{1b}`. */
export function printable(text: string): string {
  return text.replace(STEERING, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}
