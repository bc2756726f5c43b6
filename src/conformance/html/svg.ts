import { hex } from "../../bytes/mod.ts";
import { htmlText } from "../escape.ts";
import type { ByteRange, Picture, PictureRange } from "../picture.ts";

/** The picture in its own units: a bar for the guest, and rows for the file. */
const WIDTH = 640;
const ROW = 18;
const GAP = 3;
const GUEST = { top: 14, height: 12 };
const FILE_TOP = 62;
const ROWS_MAX = 16;
const ROW_BYTES_MIN = 4096;
const NARROWEST = 2;
const TEXT = 10;

/**
 * An image file as a picture: ranges in file order, coloured by their use, with the changed bytes
 * marked. A range that holds guest data has arrows from the guest offsets, shown on hover and focus.
 */
export function pictureSvg(picture: Picture): string {
  const { size, ranges, changed, format, name } = picture;
  const rowBytes = rowBytesOf(size);
  const rows = Math.max(1, Math.ceil(size / rowBytes));
  const height = FILE_TOP + rows * (ROW + GAP) + TEXT;
  const guestSize = Math.max(
    1,
    ...ranges.flatMap(({ guest, length }) => guest.map((offset) => offset + length)),
  );
  const label = `${
    name === undefined ? "" : `${name}: `
  }${format} file of ${size} bytes, ${ranges.length} ranges`;
  const hasGuest = ranges.some(({ guest }) => guest.length > 0);
  return [
    `<svg class="picture" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${
      htmlText(label)
    }">`,
    ...(hasGuest
      ? [
        `<text x="0" y="10">guest, ${hex(BigInt(guestSize))} bytes</text>`,
        `<rect class="guest" x="0" y="${GUEST.top}" width="${WIDTH}" height="${GUEST.height}"/>`,
      ]
      : []),
    `<text x="0" y="${FILE_TOP - 6}">file, ${hex(BigInt(rowBytes))} bytes a row</text>`,
    ...ranges.map((range) => rangeSvg(range, { rowBytes, guestSize })),
    ...changed.filter(({ offset }) => offset < size).map((it) => changedSvg(it, rowBytes)),
    "</svg>",
  ].join("");
}

function rowBytesOf(size: number): number {
  let bytes = ROW_BYTES_MIN;
  while (size > bytes * ROWS_MAX) bytes *= 2;
  return bytes;
}

interface Scale {
  readonly rowBytes: number;
  readonly guestSize: number;
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

/** A range in each row that it touches. */
function boxesOf({ offset, length }: ByteRange, rowBytes: number): Box[] {
  const boxes: Box[] = [];
  const end = Math.min(offset + length, rowBytes * ROWS_MAX);
  for (let at = offset; at < end;) {
    const row = Math.floor(at / rowBytes);
    const stop = Math.min(end, (row + 1) * rowBytes);
    const x = (at - row * rowBytes) / rowBytes * WIDTH;
    const width = Math.max(NARROWEST, (stop - at) / rowBytes * WIDTH);
    boxes.push({ x: Math.min(x, WIDTH - NARROWEST), y: FILE_TOP + row * (ROW + GAP), width });
    at = stop;
  }
  return boxes;
}

function rangeSvg(range: PictureRange, { rowBytes, guestSize }: Scale): string {
  const { kind, guest, offset, length, says } = range;
  const boxes = boxesOf(range, rowBytes);
  const end = hex(BigInt(offset + length));
  const title = `${hex(BigInt(offset))} to ${end}: ${kind}${says === "" ? "" : `: ${says}`}`;
  const rects = boxes.map(({ x, y, width }) =>
    `<rect x="${round(x)}" y="${y}" width="${round(width)}" height="${ROW}"/>`
  );
  const arrows = guest.map((at) => arrowSvg({ at, length, guestSize }, boxes[0]));
  const focus = guest.length > 0 ? ' tabindex="0"' : "";
  return `<g class="range ${kind}"${focus}><title>${htmlText(title)}</title>${rects.join("")}${
    arrows.join("")
  }</g>`;
}

/** The place in the guest, and an arrow from it to the first place in the file. */
function arrowSvg(
  { at, length, guestSize }: { at: number; length: number; guestSize: number },
  to: Box | undefined,
): string {
  const x = Math.min(at / guestSize * WIDTH, WIDTH - NARROWEST);
  const width = Math.max(NARROWEST, length / guestSize * WIDTH);
  const { top: y, height } = GUEST;
  const place = `<rect x="${round(x)}" y="${y}" width="${round(width)}" height="${height}"/>`;
  if (to === undefined) return place;
  const from = `${round(x + width / 2)} ${y + height}`;
  const target = round(to.x + Math.min(to.width, WIDTH - to.x) / 2);
  const middle = FILE_TOP - ROW;
  const curve = `M ${from} C ${
    from.split(" ")[0]
  } ${middle}, ${target} ${middle}, ${target} ${to.y}`;
  return `${place}<path class="arrow" d="${curve}"/>`;
}

function changedSvg(range: ByteRange, rowBytes: number): string {
  const title = `changed: ${range.length} bytes at ${hex(BigInt(range.offset))}`;
  const marks = boxesOf(range, rowBytes).map(({ x, y, width }) =>
    `<rect x="${round(x - 1)}" y="${y - 2}" width="${round(width + 2)}" height="${ROW + 4}"/>`
  );
  return `<g class="changed"><title>${htmlText(title)}</title>${marks.join("")}</g>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
