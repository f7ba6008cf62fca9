/**
 * The eight symmetries of a rectangle of cells, by their published ids: 0 identity; 1 to 3 turned
 * counter-clockwise that often; 4 left–right, 5 up–down mirrored; 6 transposed; 7 = 1, then 4.
 */

export const DIHEDRALS = 8;

/** The transform that undoes each. */
export const DIHEDRAL_INVERSES = [0, 3, 2, 1, 4, 5, 6, 7];

/** Where a transform reads: the first cell, the steps to the cell below and right, and whether sides swap. */
export type DihedralWalk = [first: number, down: number, right: number, swap: boolean];

/** How a transform reads a grid of `rows` × `columns` cells that lie row by row. */
export function dihedralWalk(id: number, rows: number, columns: number): DihedralWalk {
  const topRight = columns - 1;
  const bottomLeft = (rows - 1) * columns;
  const bottomRight = rows * columns - 1;
  switch (id) {
    case 1:
      return [topRight, -1, columns, true];
    case 2:
      return [bottomRight, -columns, -1, false];
    case 3:
      return [bottomLeft, 1, -columns, true];
    case 4:
      return [topRight, columns, -1, false];
    case 5:
      return [bottomLeft, -columns, 1, false];
    case 6:
      return [0, 1, columns, true];
    case 7:
      return [bottomRight, -1, -columns, true];
    default:
      return [0, columns, 1, false];
  }
}

/** A square grid transformed. */
export function transformSquare(cells: Uint8Array, size: number, id: number): Uint8Array {
  const [first, down, right] = dihedralWalk(id, size, size);
  const moved = new Uint8Array(cells.length);
  for (let row = 0, to = 0; row < size; row++) {
    for (let column = 0; column < size; column++) moved[to++] = cells[first + row * down + column * right];
  }
  return moved;
}
