/** A limit that a figure shall keep. */
export type Aim = { readonly most: number } | { readonly least: number };

/** A figure, beside its aim. */
export interface Row {
  /** What is measured: the name of the row in a comparison. */
  readonly what: string;
  readonly value: number;
  /** `×` for a ratio, `/s` for a rate, `ms`. */
  readonly unit: "×" | "/s" | "ms";
  readonly aim?: Aim;
  /** The difference between measurements of the same, as a part of the value. */
  readonly noise?: number;
  /** What the figure comes from. */
  readonly detail?: string;
}

/** A run of the benchmark, as a file has it. */
export interface Results {
  readonly date: string;
  readonly processors: number;
  readonly rows: readonly Row[];
}

/** A smaller change is noise, as a part of the value, even where measurements agree. */
const NOISE_MIN = 0.1;

function digits(value: number): string {
  return value >= 100 ? `${Math.round(value)}` : value.toPrecision(3).replace(/\.?0+$/, "");
}

function isMet(value: number, aim: Aim): boolean {
  return "most" in aim ? value <= aim.most : value >= aim.least;
}

/** Rows as aligned text: what, figure, aim and whether it is met, and where the figure comes from. */
export function rowsText(rows: readonly Row[]): string[] {
  const cells = rows.map(({ what, value, unit, aim, detail = "" }) => [
    what,
    `${digits(value)} ${unit}`,
    aim === undefined ? "" : `aim ${"most" in aim ? `≤ ${aim.most}` : `≥ ${aim.least}`} ${unit}`,
    aim === undefined ? "" : isMet(value, aim) ? "met" : "missed",
    detail,
  ]);
  return aligned(cells);
}

/**
 * The changes since an earlier run, and which of them are worse than the noise of both.
 *
 * @returns the lines, and the number of regressions
 */
export function compared(
  before: Results,
  rows: readonly Row[],
): { readonly lines: readonly string[]; readonly regressions: number } {
  const old = new Map(before.rows.map((row) => [row.what, row]));
  let regressions = 0;
  const cells = rows.map((row) => {
    const was = old.get(row.what);
    if (was === undefined) return [row.what, "new", `${digits(row.value)} ${row.unit}`, ""];
    const change = row.value / was.value - 1;
    const noise = Math.max(NOISE_MIN, (row.noise ?? 0) + (was.noise ?? 0));
    const isMore = row.unit === "/s" || row.aim !== undefined && "least" in row.aim;
    const isWorse = isMore ? -change > noise : change > noise;
    if (isWorse) regressions++;
    const sign = change >= 0 ? "+" : "−";
    return [
      row.what,
      `${digits(was.value)} → ${digits(row.value)} ${row.unit}`,
      `${sign}${Math.round(Math.abs(change) * 100)} %`,
      isWorse ? "REGRESSION" : Math.abs(change) <= noise ? "noise" : "better",
    ];
  });
  return { lines: aligned(cells), regressions };
}

function aligned(cells: readonly (readonly string[])[]): string[] {
  const columns = cells[0]?.map((_, at) => Math.max(...cells.map((row) => row[at]?.length ?? 0)));
  return cells.map((row) =>
    row.map((cell, at) => cell.padEnd(columns?.[at] ?? 0)).join("  ").trimEnd()
  );
}
