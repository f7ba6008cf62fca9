/** Figures as SVG documents that are legible on light and on dark pages. */

/**
 * Every colour of a figure in the light and in the dark. The light ones stand in the document as plain attributes, so that
 * programs without style sheets draw them too; a style sheet replaces each by its partner where the reader prefers the dark. So
 * no two may have the same light colour.
 */
const PAIRS = {
  ink: ['#1f2328', '#eceef1'],
  muted: ['#5b6470', '#9aa3ae'],
  rule: ['#dfe3e8', '#2f343c'],
  paper: ['#fdfdfc', '#16181d'],
  H: ['#b8530b', '#ffb454'],
  L: ['#1668b0', '#59c2ff'],
  green: ['#3f7d1c', '#aad94c'],
  red: ['#c02b45', '#ff7b86'],
  violet: ['#7646b8', '#cda6ff'],
  changed: ['#dcebdb', '#2c4130'],
} as const;

type Colour = keyof typeof PAIRS;

/** The light colours by their names. */
export const COLOURS = Object.fromEntries(
  Object.entries(PAIRS).map(([name, [light]]) => [name, light]),
) as Record<Colour, string>;

/** From faint to strong, for what comes first and last; again pairs of light and dark. */
const EARLY = ['#a9c4e4', '#43597a'] as const;
const LATE = ['#0f3a6b', '#c4e6ff'] as const;

/** Colours for `count` things in their order, as light colours. */
export function ramp(count: number): string[] {
  return rampPairs(count).map(([light]) => light);
}

function rampPairs(count: number): [light: string, dark: string][] {
  return Array.from({ length: count }, (_, i) => {
    const share = count === 1 ? 1 : i / (count - 1);
    return [mix(EARLY[0], LATE[0], share), mix(EARLY[1], LATE[1], share)];
  });
}

function mix(from: string, to: string, share: number): string {
  const parts = (hex: string) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
  const end = parts(to);
  const mixed = parts(from).map((value, i) => Math.round(value + share * (end[i] - value)));
  return `#${mixed.map((value) => value.toString(16).padStart(2, '0')).join('')}`;
}

/** A plot and where it stands on the card. */
export interface Panel {
  svg: Element;
  x: number;
  y: number;
}

export interface Card {
  title: string;
  /** Lines beneath it. */
  notes: string[];
  height: number;
  panels: Panel[];
  /** How many colours of the {@link ramp} it uses. */
  ramp?: number;
}

export const WIDTH = 860;
/** From the card's edge to what is on it. */
export const MARGIN = 28;
/** What plots may be wide. */
export const INNER = WIDTH - 2 * MARGIN;
const FONT =
  "ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";
const CLASS = 'hrm-figure';

/** Where the first plot may begin beneath so many notes. */
export const top = (notes: readonly string[]) => 62 + 19 * notes.length;

/** The whole document. */
export function drawCard({ title, notes, height, panels, ramp: shades = 0 }: Card): string {
  const body = [
    `<rect width="${WIDTH}" height="${height}" rx="10" fill="${COLOURS.paper}"/>`,
    `<text x="${MARGIN}" y="40" font-size="17" font-weight="650" fill="${COLOURS.ink}">${escaped(title)}</text>`,
    ...notes.map(
      (note, i) => `<text x="${MARGIN}" y="${63 + 19 * i}" fill="${COLOURS.muted}">${escaped(note)}</text>`,
    ),
    ...panels.map(serialized),
  ].join('\n');
  const pairs = [...Object.values(PAIRS), ...rampPairs(shades)].filter(([light]) => body.includes(light));
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" class="${CLASS}" role="img" font-family="${FONT}" font-size="13">`,
    `<title>${escaped(title)}</title>`,
    `<style>${darkStyle(pairs)}</style>`,
    body,
    '</svg>',
  ].join('\n')}\n`;
}

function darkStyle(pairs: readonly (readonly [string, string])[]): string {
  const rules = pairs.flatMap(([light, dark]) =>
    ['fill', 'stroke'].map((property) => `.${CLASS} [${property}="${light}"]{${property}:${dark}}`),
  );
  return `@media (prefers-color-scheme:dark){${rules.join('')}}`;
}

/** Plot's drawing as a part of another: in our type and colours, without its own style sheet. */
function serialized({ svg, x, y }: Panel): string {
  svg.querySelector('style')?.remove();
  svg.removeAttribute('font-family');
  svg.setAttribute('x', String(x));
  svg.setAttribute('y', String(y));
  svg.setAttribute('font-size', '12');
  svg.setAttribute('overflow', 'visible');
  return svg.outerHTML.replaceAll('currentColor', COLOURS.muted).replace(/(\d\.\d\d)\d{3,}/g, '$1');
}

const escaped = (text: string) =>
  text.replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c] as string);
